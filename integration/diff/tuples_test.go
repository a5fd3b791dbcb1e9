package diff_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/transfer"
)

// The driver cannot bind a tuple to one marker.
func TestTransferRepairFindsRowsAndElementsByTuples(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	ts := &tables{session: session, ks: ks, left: ks + ".source", right: ks + ".target"}
	for _, table := range []string{ts.left, ts.right} {
		exec(t, session, "CREATE TABLE %s (p int, c tuple<int, frozen<tuple<text, int>>>, v text, e set<frozen<tuple<int, text>>>, PRIMARY KEY (p, c))", table)
		exec(t, session, "INSERT INTO %s (p, c, v, e) VALUES (1, (1, ('x', null)), 'v', {(1, 'a')}) USING TIMESTAMP %d", table, base)
		exec(t, session, "INSERT INTO %s (p, c, v) VALUES (1, (2, null), 'v') USING TIMESTAMP %d", table, base)
	}
	exec(t, session, "UPDATE %s USING TIMESTAMP %d SET v = 'new' WHERE p = 1 AND c = (1, ('x', null))", ts.left, base+1)
	exec(t, session, "UPDATE %s USING TIMESTAMP %d SET v = 'new' WHERE p = 1 AND c = (2, null)", ts.left, base+1)
	exec(t, session, "UPDATE %s USING TIMESTAMP %d SET e = e + {(2, null)} WHERE p = 1 AND c = (1, ('x', null))", ts.right, base+1)
	exec(t, session, "INSERT INTO %s (p, c, v) VALUES (1, (3, ('y', 4)), 'extra') USING TIMESTAMP %d", ts.right, base+1)
	_, folder := ts.diff(t, transfer.WithTimes())
	file := differences(folder)
	job, err := transfer.Repair(transfer.Table{Session: session, Name: ts.left}, transfer.Table{Session: session, Name: ts.right}, file, folder+"-repair",
		transfer.WithTimes(), transfer.DeleteExtra())
	require.NoError(t, err)
	report, err := job.Run(t.Context())
	require.NoError(t, err)
	require.True(t, report.Repaired(), report.String())
	require.EqualValues(t, 3, report.Written)
	again, _ := ts.diff(t, transfer.WithTimes())
	require.True(t, again.Equal(), again.String())
}
