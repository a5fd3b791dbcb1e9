package command_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

// schemaOf names the tables of a keyspace.
func schemaOf(t *testing.T, session *gocql.Session, keyspace string) (names []string) {
	t.Helper()
	iter := session.Query("SELECT table_name FROM system_schema.tables WHERE keyspace_name = ?", keyspace).Iter()
	var name string
	for iter.Scan(&name) {
		names = append(names, name)
	}
	require.NoError(t, iter.Close())
	return names
}

func TestTransferADryRunOfEachVerbChangesNothing(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	to := other(t, session)
	fill(t, session, ks+".t", 1000)
	fill(t, session, to+".t", 100)
	fill(t, session, ks+".u", 100)
	before := rows(t, session, to+".t")
	work, found := t.TempDir(), filepath.Join(t.TempDir(), "found")
	code, _, stderr := run(t, "diff", ks+".t", "--to", to, "--pause", "0", "--out", found, "--progress", "none")
	require.Equal(t, 3, code, stderr)
	in := filepath.Join(t.TempDir(), "in.csv")
	require.NoError(t, os.WriteFile(in, []byte("p,c,a,b\n1,1,x,1\n"), 0o600))
	for _, c := range []struct {
		to   string
		args []string
	}{
		{to + ".t", []string{"copy", ks, "--to", to, "--create", "--times", "--checkpoint", filepath.Join(work, "c")}},
		{filepath.Join(work, "dump", ks+".t"), []string{"unload", ks, "--out", filepath.Join(work, "dump"), "--checkpoint", filepath.Join(work, "c")}},
		{to + ".t", []string{"load", in, "--into", to + ".t", "--bad", filepath.Join(work, "bad"), "--checkpoint", filepath.Join(work, "c")}},
		{"", []string{"count", ks, "--checkpoint", filepath.Join(work, "c")}},
		{to + ".t", []string{"diff", ks + ".t", "--to", to, "--out", filepath.Join(work, "diff")}},
		{to + ".t", []string{"repair", ks + ".t", "--to", to, "--from", found, "--out", filepath.Join(work, "repair"), "--restart"}},
	} {
		code, stdout, stderr := run(t, append(c.args, "--dry-run", "--json", "-")...)
		require.Zero(t, code, "%v: %s", c.args, stderr)
		require.Contains(t, stderr, "nothing was done: this was a dry run")
		r := parsed(t, stdout)
		require.NotEmpty(t, r.Plans)
		var targets []string
		for _, plan := range r.Plans {
			require.Equal(t, c.args[0], plan.Verb)
			targets = append(targets, plan.To)
		}
		require.Contains(t, targets, c.to)
		if c.args[0] == "copy" {
			require.Contains(t, stderr, fmt.Sprintf("CREATE TABLE IF NOT EXISTS %q.\"u\"", to))
		}
		require.Empty(t, files(t, work), "%v", c.args)
	}
	require.Equal(t, []string{"t"}, schemaOf(t, session, to))
	require.Equal(t, before, rows(t, session, to+".t"))
	require.FileExists(t, filepath.Join(found, ks+".t", "report.json"))
}

// What a run would refuse a dry run refuses too, with exit code 1.
func TestTransferADryRunRefusesWhatTheRunWould(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	to := other(t, session)
	exec := func(cql string, args ...any) {
		t.Helper()
		require.NoError(t, session.Query(fmt.Sprintf(cql, args...)).Exec(), cql)
	}
	fill(t, session, ks+".t", 100)
	exec("CREATE TABLE %s.t (p bigint, c int, a int, b bigint, PRIMARY KEY (p, c))", to) // a text does not fit
	for _, name := range []string{ks + ".n", to + ".n"} {
		exec("CREATE TABLE %s (id int PRIMARY KEY, n counter)", name)
		exec("UPDATE %s SET n = n + 1 WHERE id = 1", name)
	}
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	there, in := write("there.csv", "p,c\n"), write("in.csv", "p,c,none\n1,1,a\n")
	for what, c := range map[string]struct {
		args []string
		says string
	}{
		"nothing":                    {[]string{"count", ks}, ""},
		"a type that does not fit":   {[]string{"copy", ks + ".t", "--to", to}, `"a"`},
		"a table that is not there":  {[]string{"copy", ks + ".t", "--to", to + ".none"}, "--create"},
		"counters that are not free": {[]string{"copy", ks + ".n", "--to", to, "--counters"}, "empty it first"},
		"counters unasked":           {[]string{"copy", ks + ".n", "--to", to}, "--counters"},
		"a file that is there":       {[]string{"unload", ks + ".t", "--out", there}, "--replace"},
		"a column that is not there": {[]string{"load", in, "--into", ks + ".t"}, "column 3 is not in the table"},
		"other types of a diff":      {[]string{"diff", ks + ".n", "--to", to + ".t", "--out", filepath.Join(folder, "d")}, to},
	} {
		want := 1
		if c.says == "" {
			want = 0
		}
		code, _, stderr := run(t, append(c.args, "--dry-run", "--progress", "none")...)
		require.Equal(t, want, code, "%s: %s", what, stderr)
		require.Contains(t, stderr, c.says, what)
		code, stdout, _ := run(t, append(c.args, "--progress", "none")...)
		require.Equal(t, want, code, "%s: the run: %s", what, stdout)
	}
}
