package source_test

import (
	"flag"
	"fmt"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/ring"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

var rowsInTable = flag.Int("source.rows", 200_000, "rows of the table that is read whole")

const bigPartition = 200 // rows of a partition of it

// The table takes longest to load, so all that needs a large one is here.
func TestALargeTable(t *testing.T) {
	watch := &scans{}
	session, ks := cassandra.Keyspace(t, cluster, watch.option(t))
	watch.session, watch.keyspace, watch.table = session, ks, "big"
	table := ks + ".big"
	fillPartitions(t, session, table, *rowsInTable, bigPartition)

	t.Run("arrives whole, every row exactly once", func(t *testing.T) { everyRowOnce(t, session, table) })
	t.Run("gives Take(10) one page when the first range holds ten rows", func(t *testing.T) {
		takeTenOfOnePage(t, session, table, watch)
	})
	t.Run("gives Take one page at a time, also where ranges are empty", func(t *testing.T) {
		takeInTurn(t, session, table, watch)
	})
}

func everyRowOnce(t *testing.T, session *gocql.Session, table string) {
	const budget = 4 << 20
	for _, splits := range []int{1, 200} {
		seen := make([]uint8, *rowsInTable)
		report, err := source.Table[cell](session, table, source.Splits(splits)).
			ForEach(t.Context(), func(c cell) error {
				require.Equal(t, c.V, int64(c.PK)*bigPartition+int64(c.CK))
				seen[c.V]++
				return nil
			}, rxcql.WithBudget(budget))
		require.NoError(t, err)
		for i, times := range seen {
			if times != 1 {
				t.Fatalf("row %d arrived %d times with %d splits", i, times, splits)
			}
		}
		require.True(t, report.Complete)
		require.EqualValues(t, *rowsInTable, report.ReadRows)
		require.Equal(t, report.Ranges, report.RangesDone)
		require.Equal(t, report.Pages, report.PagesSettled)
		require.LessOrEqual(t, report.PeakBytes, budget+int64(report.PeakFetches)*report.LargestPage)
		t.Logf("splits %d: %v", splits, report)
	}
}

// Where the first range is narrow, because two nodes' tokens are close, it may
// hold fewer than ten rows and the promise does not apply. Tokens are random, so
// shares of the table, each with a first range of its own, stand in for it then.
func takeTenOfOnePage(t *testing.T, session *gocql.Session, table string, watch *scans) {
	proved := 0
	for _, shard := range [][2]int{{0, 1}, {1, 2}, {1, 3}, {2, 3}} {
		share, of := shard[0], shard[1]
		first := tiles(t, session, 64, share, of)[0]
		held := count(t, session, table, first)
		if held < 10 {
			t.Logf("share %d of %d: the first range holds %d rows only", share, of, held)
			continue
		}
		proved++
		// Small and large budgets: neither makes it read ahead.
		for _, opts := range [][]rxcql.Option{nil, {rxcql.WithBudget(rxcql.MinBudgetPerInput)}, {rxcql.WithWorkers(16)}} {
			report, seen := watch.take(t, source.Table[cell](session, table, source.Shard(share, of)), 10, opts...)
			require.EqualValues(t, 1, report.Pages)
			require.EqualValues(t, 10, report.ReadRows, "the page is of ten rows")
			require.Equal(t, 1, report.PeakFetches)
			require.Equal(t, 1, len(seen.requests), "requests that the driver sent")
			require.Equal(t, 10, seen.requests[0].Rows)
			require.EqualValues(t, 1, seen.byServer, "reads that the server made")
		}
		t.Logf("share %d of %d: first range %v of %d rows: one page", share, of, first, held)
	}
	require.Positive(t, proved, "no first range held ten rows")
}

func takeInTurn(t *testing.T, session *gocql.Session, table string, watch *scans) {
	// 20,000 ranges for 1,000 partitions: most are empty, and each costs a page.
	const splits = 20_000
	want := 1
	for _, each := range tiles(t, session, splits, 0, 1) {
		if count(t, session, table, each) >= 10 {
			break
		}
		want++
	}
	report, seen := watch.take(t, source.Table[cell](session, table, source.Splits(splits)), 10)
	require.EqualValues(t, want, report.Pages)
	require.Equal(t, 1, report.PeakFetches)
	require.Equal(t, want, len(seen.requests))
	require.EqualValues(t, want, seen.byServer)
	require.Zero(t, seen.overlaps())
	t.Logf("Take(10) of %d ranges: %d pages, one at a time", splits, want)

	// The largest limit that is read so: a short first page, then the rest.
	report, seen = watch.take(t, source.Table[cell](session, table, source.Splits(1)), 5000)
	require.Equal(t, 1, report.PeakFetches)
	require.Greater(t, len(seen.requests), 1)
	require.EqualValues(t, report.Pages, len(seen.requests))
	require.EqualValues(t, report.Pages, seen.byServer)
	require.Zero(t, seen.overlaps())

	// A limit above is read ahead: else there would be nothing to see above.
	report, seen = watch.take(t, source.Table[cell](session, table), 5001)
	require.Greater(t, report.PeakFetches, 1)
	require.Positive(t, seen.overlaps(), "pages are asked for together without a small limit")
}

// take runs Take(n) on a stream and gives what was asked of the server meanwhile.
func (s *scans) take(t *testing.T, from rxcql.Stream[cell], n int64, opts ...rxcql.Option) (rxcql.Report, seen) {
	t.Helper()
	before := s.start(t)
	rows := int64(0)
	report, err := operators.Take(from, n).ForEach(t.Context(), func(cell) error {
		rows++
		return nil
	}, opts...)
	require.NoError(t, err)
	require.Equal(t, n, rows)
	require.Equal(t, "Take", report.EndedBy)
	return report, s.since(t, before)
}

// count asks the server alone how many rows a range of tokens holds.
func count(t *testing.T, session *gocql.Session, table string, r ring.Range) (rows int64) {
	t.Helper()
	require.NoError(t, session.Query(fmt.Sprintf("SELECT count(*) FROM %s WHERE token(pk) > ? AND token(pk) <= ?", table),
		r.Start, r.End).Scan(&rows))
	return rows
}
