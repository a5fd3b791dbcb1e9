//go:build unix

package command_test

import (
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/transfer"
)

// A keyspace is moved in three commands: copy, diff, repair.
func TestTransferAKeyspaceMovesInThreeCommands(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	to := other(t, session)
	fill(t, session, ks+".t", 3000)
	fill(t, session, ks+".u", 200)
	exec := func(cql string) { t.Helper(); require.NoError(t, session.Query(cql).Exec(), cql) }
	folder := t.TempDir()
	code, _, stderr := run(t, "copy", ks, "--to", to, "--create", "--times", "--checkpoint", filepath.Join(folder, "copy"), "--progress", "none")
	require.Zero(t, code, stderr)

	diff := func(name string) (int, map[string]*transfer.DiffReport) {
		code, stdout, stderr := run(t, "diff", ks, "--to", to, "--times", "--pause", "0", "--out", filepath.Join(folder, name), "--progress", "none", "--json", "-")
		require.NotEqual(t, 2, code, stderr)
		got := map[string]*transfer.DiffReport{}
		for _, table := range []string{"t", "u"} {
			var r transfer.DiffReport
			require.NoError(t, json.Unmarshal(parsed(t, stdout).of(t, ks+"."+table).Report, &r))
			got[table] = &r
		}
		return code, got
	}
	code, found := diff("first")
	require.Zero(t, code, "%+v", found)

	exec("DELETE FROM " + to + ".t WHERE p = 100 AND c = 1")                        // a tombstone that is newer: shadowed
	exec("INSERT INTO " + to + ".t (p, c, a) VALUES (100, 1000, 'only there')")     // extra
	exec("UPDATE " + ks + ".t SET a = 'changed' WHERE p = 200 AND c = 2")           // differing
	exec("INSERT INTO " + ks + ".t (p, c, a, b) VALUES (300, 500, 'new', 1)")       // missing
	exec("UPDATE " + to + ".u SET a = 'newer at the target' WHERE p = 0 AND c = 5") // newer
	code, found = diff("second")
	require.Equal(t, 3, code)
	require.EqualValues(t, 2, found["t"].Missing)
	require.EqualValues(t, 1, found["t"].Extra)
	require.EqualValues(t, 1, found["t"].Differing)
	require.EqualValues(t, 1, found["u"].Newer)
	require.EqualValues(t, 4, found["t"].Differences())

	code, stdout, stderr := run(t, "repair", "--from", filepath.Join(folder, "second"), "--to", to, "--times", "--out", filepath.Join(folder, "repair"), "--progress", "none", "--json", "-")
	require.Equal(t, 3, code, stderr)
	r := parsed(t, stdout)
	var repaired transfer.RepairReport
	require.NoError(t, json.Unmarshal(r.of(t, ks+".t").Report, &repaired))
	require.EqualValues(t, 2, repaired.Written)
	require.EqualValues(t, 1, repaired.Shadowed)
	require.EqualValues(t, 1, repaired.Left)

	code, found = diff("third")
	require.Equal(t, 3, code)
	require.EqualValues(t, 1, found["t"].Missing, "that which is shadowed")
	require.EqualValues(t, 1, found["t"].Extra)
	require.Zero(t, found["t"].Differing)
	code, stdout, _ = run(t, "diff", ks, "--to", to, "--times", "--pause", "0", "--out", filepath.Join(folder, "third"), "--progress", "none")
	require.Equal(t, 3, code)
	require.Contains(t, stdout, "by an earlier run", "the folder has its report, and nothing is read")
}
