package source_test

import (
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/source"
)

// A server allows 100,000 tombstones in a row unless it is told otherwise. Other tests are in
// integration/splits, on a server that allows few.
func TestTransferATableWith110000TombstonesInARow(t *testing.T) {
	const graves = 110_000
	session, keyspace := cassandra.Keyspace(t, cluster)
	exec(t, session, "CREATE TABLE graves (k int, c bigint, v int, PRIMARY KEY (k, c))")
	for _, c := range []int64{-5, 0, graves + 1, graves + 2} {
		exec(t, session, "INSERT INTO graves (k, c, v) VALUES (1, %d, 1)", c)
	}
	exec(t, session, "INSERT INTO graves (k, c, v) VALUES (2, 1, 1)")
	const batch = 1000
	for first := int64(1); first <= graves; first += batch {
		b := session.NewBatch(gocql.UnloggedBatch)
		for c := first; c < first+batch; c++ {
			b.Query("DELETE FROM graves WHERE k = 1 AND c = ?", c)
		}
		require.NoError(t, session.ExecuteBatch(b))
	}
	_, err := source.Table[int64](session, keyspace+".graves", source.Columns("c")).Count(t.Context())
	require.Equal(t, driver.TooManyTombstones, driver.Classify(err))

	report, err := source.Table[int64](session, keyspace+".graves", source.Columns("c"), source.AdaptiveSplits()).
		ForEach(t.Context(), func(int64) error { return nil })
	require.NoError(t, err)
	require.True(t, report.Complete)
	require.EqualValues(t, 5, report.ReadRows)
}
