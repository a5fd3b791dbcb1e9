package times_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/transfer"
)

// columnsOf reads the columns of a table by plain CQL, as contents wants them.
func columnsOf(t testing.TB, session *gocql.Session, keyspace, table string) (keys, columns, tuples, lists []string) {
	t.Helper()
	iter := session.Query("SELECT column_name, kind, type FROM system_schema.columns WHERE keyspace_name = ? AND table_name = ?", keyspace, strings.Trim(table, `"`)).Iter()
	var name, kind, typ string
	for iter.Scan(&name, &kind, &typ) {
		name = `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
		tuple := strings.HasPrefix(typ, "frozen<tuple<") || strings.HasPrefix(typ, "tuple<")
		switch {
		case (kind == "partition_key" || kind == "clustering") && tuple:
			keys = append(keys, "toJson("+name+")") // the driver takes tuples apart
		case kind == "partition_key" || kind == "clustering":
			keys = append(keys, name)
		case strings.HasPrefix(typ, "list<"):
			lists = append(lists, name)
		case tuple:
			tuples = append(tuples, name)
		default:
			columns = append(columns, name)
		}
	}
	require.NoError(t, iter.Close())
	return keys, columns, tuples, lists
}

// silent requires that Diff with times finds nothing.
func silent(t testing.TB, left, right transfer.Table, opts ...transfer.DiffOption) {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "diff")
	job, err := transfer.Diff(left, right, folder, append(opts, transfer.WithTimes(), transfer.Pause(0), transfer.WithSplits(4))...)
	require.NoError(t, err)
	report, err := job.Run(t.Context())
	require.NoError(t, err)
	if !report.Equal() {
		found, err := transfer.Differences(folder).Collect(t.Context())
		require.NoError(t, err)
		require.Empty(t, found, report.String())
	}
	require.Zero(t, report.Candidates, "not even at first")
}

func TestTransferTimesOfEachTrapAreCopiedAndDiffIsSilent(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	exec(t, session, `CREATE TYPE address (street text, "No" int)`)
	now := time.Now().UnixMicro()
	all := traps(now)
	for name, trap := range all {
		exec(t, session, "CREATE TABLE "+name+" ("+trap.columns+")"+trap.options)
	}
	exec(t, session, `ALTER TYPE address ADD extra frozen<tuple<int, text>>`) // values that were written before are shorter
	for name, trap := range all {
		for _, row := range trap.rows {
			exec(t, session, strings.Replace(row, "$", name, 1))
		}
	}
	for name, trap := range all {
		t.Run(name, func(t *testing.T) {
			to := "copy_of_" + strings.ToLower(strings.Trim(name, `"`))
			if trap.target != "" {
				exec(t, session, "CREATE TABLE "+to+" ("+trap.target+")")
			}
			left, right := transfer.Table{Session: session, Name: ks + "." + name}, transfer.Table{Session: session, Name: ks + "." + to}
			opts := []transfer.CopyOption{transfer.Create(), transfer.WithTimes(), transfer.WithSplits(4)}
			var compare []transfer.DiffOption
			for from, to := range trap.renamed {
				opts, compare = append(opts, transfer.Rename(from, to)), append(compare, transfer.Rename(from, to))
			}
			keys, columns, tuples, lists := columnsOf(t, session, ks, name)
			for range 2 { // the second one changes nothing
				job, err := transfer.Copy(left, right, opts...)
				require.NoError(t, err)
				report, err := job.Run(t.Context())
				require.NoError(t, err)
				require.True(t, report.Complete)
				require.Zero(t, report.Times.ListsLeft)
				silent(t, left, right, compare...)
				if trap.target == "" {
					equal(t, contents(t, session, name, keys, columns, tuples, lists), contents(t, session, to, keys, columns, tuples, lists))
				}
			}
		})
	}
}

func TestTransferTimesOfAViewAreThoseOfItsTable(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	exec(t, session, "CREATE TABLE base (p int, c int, v text, w int, PRIMARY KEY (p, c))",
		"INSERT INTO base (p, c, v, w) VALUES (1, 2, 'x', 3)"+using(1000, 0), "UPDATE base"+using(2000, 50000)+"SET w = 4 WHERE p = 1 AND c = 2")
	require.NoError(t, session.Query("CREATE MATERIALIZED VIEW by_v AS SELECT * FROM base WHERE v IS NOT NULL AND c IS NOT NULL AND p IS NOT NULL PRIMARY KEY (v, p, c)").Exec(), "the server must make materialized views: materialized_views_enabled")
	require.Eventually(t, func() bool { return session.Query("SELECT v FROM by_v").Iter().NumRows() == 1 }, 3*time.Minute, 100*time.Millisecond)
	left, right := transfer.Table{Session: session, Name: ks + ".by_v"}, transfer.Table{Session: session, Name: ks + ".copied"}
	job, err := transfer.Copy(left, right, transfer.Create(), transfer.WithTimes(), transfer.WithSplits(4))
	require.NoError(t, err)
	_, err = job.Run(t.Context())
	require.NoError(t, err)
	silent(t, left, right)
	keys, columns, tuples, lists := columnsOf(t, session, ks, "by_v")
	equal(t, contents(t, session, "by_v", keys, columns, tuples, lists), contents(t, session, "copied", keys, columns, tuples, lists))

	virtual, err := transfer.Copy(transfer.Table{Session: session, Name: "system_views.settings"}, right, transfer.WithTimes())
	require.NoError(t, err)
	_, err = virtual.Run(t.Context())
	require.ErrorContains(t, err, "whose values have no times")
}
