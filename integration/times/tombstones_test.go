package times_test

import (
	"fmt"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/transfer"
)

// A server refuses to read over more than 100,000 tombstones in a row unless it is told otherwise,
// and warns from 1,000 on.
func TestTransferTimesOfRowsAmongManyTombstonesAreCopiedAndDiffIsSilent(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	for _, graves := range []int{90_000, 110_000} {
		t.Run(fmt.Sprint(graves), func(t *testing.T) {
			name := fmt.Sprint("graves", graves)
			exec(t, session, "CREATE TABLE "+name+" (p int, c int, v int, PRIMARY KEY (p, c))")
			for i, c := range []int{-5, 0, graves + 1, graves + 2} {
				exec(t, session, fmt.Sprintf("INSERT INTO %s (p, c, v) VALUES (1, %d, %d)", name, c, i)+using(int64(1000+i), 0))
			}
			exec(t, session, "INSERT INTO "+name+" (p, c, v) VALUES (2, 1, 7)"+using(2000, 50_000))
			const batch = 1000
			for first := 1; first <= graves; first += batch {
				b := session.NewBatch(gocql.UnloggedBatch)
				for c := first; c < first+batch; c++ {
					b.Query("DELETE FROM "+name+" WHERE p = 1 AND c = ?", c)
				}
				require.NoError(t, session.ExecuteBatch(b))
			}
			left, right := transfer.Table{Session: session, Name: ks + "." + name}, transfer.Table{Session: session, Name: ks + "." + name + "_copy"}
			job, err := transfer.Copy(left, right, transfer.Create(), transfer.WithTimes(), transfer.WithSplits(4))
			require.NoError(t, err)
			report, err := job.Run(t.Context())
			require.NoError(t, err)
			require.True(t, report.Complete)
			require.EqualValues(t, 5, report.Written)
			silent(t, left, right)
			// Row by row: plain CQL cannot read over the tombstones either.
			for _, key := range [][2]int{{1, -5}, {1, 0}, {1, graves + 1}, {1, graves + 2}, {2, 1}} {
				var there, here struct {
					v  int
					at int64
				}
				cql := "SELECT v, WRITETIME(v) FROM %s WHERE p = ? AND c = ?"
				require.NoError(t, session.Query(fmt.Sprintf(cql, name), key[0], key[1]).Scan(&there.v, &there.at))
				require.NoError(t, session.Query(fmt.Sprintf(cql, name+"_copy"), key[0], key[1]).Scan(&here.v, &here.at))
				require.Equal(t, there, here, "%v", key)
			}
		})
	}
}
