package command_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

// A run of three tables, one of which fails, goes on when something has happened to the targets of
// those that were done. TRUNCATE is known by the server alone, since there are rows again.
func TestTransferWhatHappenedToTargetsMeanwhileIsNoticed(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	to := other(t, session)
	exec := func(cql string, args ...any) {
		t.Helper()
		require.NoError(t, session.Query(fmt.Sprintf(cql, args...)).Exec(), cql)
	}
	for _, table := range []string{"broken", "kept", "made", "truncated"} {
		fill(t, session, ks+"."+table, 300)
	}
	exec("CREATE TABLE %s.broken (p bigint, c int, a int, b bigint, PRIMARY KEY (p, c))", to) // a text does not fit
	exec("CREATE TABLE %s.truncated (p bigint, c int, a text, b bigint, PRIMARY KEY (p, c))", to)
	exec("TRUNCATE %s.truncated", to) // before the run: no reason
	args := []string{"copy", ks, "--to", to, "--create", "--times", "--checkpoint", t.TempDir(), "--progress", "none", "--json", "-"}
	code, stdout, stderr := run(t, args...)
	require.Equal(t, 1, code, stderr)
	for _, table := range []string{"kept", "made", "truncated"} {
		require.Equal(t, "done", parsed(t, stdout).of(t, ks+"."+table).Status)
	}
	code, stdout, stderr = run(t, args...)
	require.Equal(t, 1, code, stderr)
	for _, table := range []string{"kept", "made", "truncated"} {
		require.True(t, parsed(t, stdout).of(t, ks+"."+table).Earlier, table)
	}

	exec("TRUNCATE %s.truncated", to)
	exec("INSERT INTO %s.truncated (p, c, a) VALUES (0, 0, 'newer')", to)
	exec("DROP TABLE %s.made", to)
	exec("DROP TABLE %s.broken", to)
	code, stdout, stderr = run(t, args...)
	require.Zero(t, code, stderr)
	r := parsed(t, stdout)
	require.True(t, r.of(t, ks+".kept").Earlier)
	require.Equal(t, "the target "+to+".truncated was truncated since", r.of(t, ks+".truncated").Anew)
	require.Equal(t, "the target "+to+".made was dropped since", r.of(t, ks+".made").Anew)
	for _, table := range []string{"broken", "kept", "made"} {
		same(t, session, ks+"."+table, to+"."+table)
	}
	require.Len(t, rows(t, session, to+".truncated"), 300)

	exec("TRUNCATE %s.kept", to)
	code, stdout, stderr = run(t, args...)
	require.Zero(t, code, stderr)
	require.False(t, parsed(t, stdout).of(t, ks+".kept").Earlier, "the run before has come to its end")
	same(t, session, ks+".kept", to+".kept")
}
