package sink_test

import (
	"fmt"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// tiny is a row of eight bytes: what a batch is charged with in addition to its values weighs
// most against it.
type tiny struct {
	P int32 `cql:"p"`
	C int32 `cql:"c"`
}

const tinyRows = 100_000

func TestACopyOfTinyRowsStaysWithinItsBudget(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	original := tinyTable(t, session, ks, "original")
	run(t, source.Seq(func(yield func(tiny, error) bool) {
		for i := range int32(tinyRows) {
			if !yield(tiny{i / 100, i % 100}, nil) {
				return
			}
		}
	}), sink.Table[tiny](session, original))

	for _, budget := range []int64{64 << 10, 256 << 10, 1 << 20} {
		t.Run(fmt.Sprintf("%d KiB as structs", budget>>10), func(t *testing.T) {
			bounded[tiny](t, session, original, tinyTable(t, session, ks, fmt.Sprint("structs_", budget)), budget)
		})
		t.Run(fmt.Sprintf("%d KiB undecoded", budget>>10), func(t *testing.T) {
			bounded[rxcql.Row](t, session, original, tinyTable(t, session, ks, fmt.Sprint("undecoded_", budget)), budget)
		})
	}
}

// bounded copies a table and holds the report to the promise.
func bounded[T any](t *testing.T, session *gocql.Session, original, target string, budget int64) {
	t.Helper()
	// Few ranges: each has many pages, large as the budget lets them be.
	rep := run(t, source.Table[T](session, original, source.Splits(1)), sink.Table[T](session, target),
		rxcql.WithBudget(budget), rxcql.WithWorkers(4))

	t.Logf("peak %d, budget %d, %d fetches at once, largest page %d", rep.PeakBytes, rep.Budget, rep.PeakFetches, rep.LargestPage)
	require.Equal(t, budget, rep.Budget)
	require.LessOrEqual(t, rep.PeakBytes, rep.Budget+int64(rep.PeakFetches)*rep.LargestPage)
	// What may come on top are pages that turn out larger than was reserved for
	// them. Rows that all weigh the same make none, so this copy shows what else
	// would come on top: these rows have 8 bytes each and cost the sink some hundred.
	require.LessOrEqual(t, rep.PeakBytes, rep.Budget)
	require.GreaterOrEqual(t, rep.PeakBytes, rep.LargestPage)
	require.Zero(t, rep.BytesInFlight)
	require.Empty(t, rep.EndedBy)
	require.EqualValues(t, tinyRows, rep.ReadRows)
	require.EqualValues(t, tinyRows, rep.Written)
	require.Equal(t, rep.Pages, rep.PagesSettled)

	var written int64
	require.NoError(t, session.Query("SELECT count(*) FROM "+target).Scan(&written))
	require.EqualValues(t, tinyRows, written)
}

func tinyTable(t *testing.T, session *gocql.Session, ks, name string) string {
	t.Helper()
	table := ks + "." + name
	require.NoError(t, session.Query("CREATE TABLE "+table+" (p int, c int, PRIMARY KEY (p, c))").Exec())
	return table
}
