package verbs_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	lib "github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/verbs"
	"github.com/rxcql/rxcql/internal/gravetest"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

// graveyard is a server with a table of which one row cannot be read.
func graveyard(t *testing.T, seed uint64) (g *gravetest.Table, host string) {
	t.Helper()
	g = gravetest.New(t, seed, cqlfake.Loopback())
	require.NotEmpty(t, g.Rows)
	g.Clear()
	g.BuryAt(g.Rows[0])
	g.Server.Keyspace("archive", "t (k blob, c int, d text, s int STATIC, v int, PRIMARY KEY (k, c, d))")
	cluster := g.Server.Cluster()
	return g, fmt.Sprintf("%s:%d", cluster.Hosts[0], cluster.Port)
}

// Nothing has failed, so the exit code is that of rows that are not where they should be. With a
// checkpoint the same command reads what is missing, and nothing else.
func TestPartsThatCannotBeReadAreLeftAndTheSameCommandAsksForThemAgain(t *testing.T) {
	for seed, verb := range []string{"copy", "unload", "count"} {
		t.Run(verb, func(t *testing.T) {
			g, host := graveyard(t, uint64(seed))
			folder := t.TempDir()
			dump := filepath.Join(folder, "dump")
			args := append(map[string][]string{
				"copy": {"copy", "ks.t", "--to", "archive"}, "unload": {"unload", "ks.t", "--out", dump}, "count": {"count", "ks.t"},
			}[verb], "--hosts", host, "--progress", "none", "--retry-time", "0")
			saved := append(args, "--checkpoint", filepath.Join(folder, "going"), "--json", filepath.Join(folder, "r.json"), "--fail-fast")
			got := rxcql(t, saved...)
			require.Equal(t, 3, got.code, "%s: %s%s", verb, got.out, got.err)
			require.Contains(t, got.out, "ks.t: left, ")
			require.Contains(t, got.out, "could not be read: compact the table after gc_grace_seconds", verb)
			require.Contains(t, got.out, "too many tombstones", "the parts are named")
			require.Contains(t, got.out, "the run goes on with the same command: rxcql "+verb)
			text, err := os.ReadFile(filepath.Join(folder, "r.json"))
			require.NoError(t, err)
			r := parsed(t, string(text))
			require.Equal(t, 3, r.ExitCode)
			require.Equal(t, "left", r.Tables[0].Status)
			require.Empty(t, r.Tables[0].Error)
			if verb == "unload" {
				require.Equal(t, 1, rxcql(t, "load", dump, "--into", "archive.t", "--hosts", host).code, "rows are missing in the folder")
			}

			g.Clear() // as a compaction does
			got = rxcql(t, saved...)
			require.Zero(t, got.code, "%s: %s%s", verb, got.out, got.err)
			require.Contains(t, got.out, "ks.t: done, ")
			left, err := filepath.Glob(filepath.Join(folder, "going", "*.checkpoint"))
			require.NoError(t, err)
			require.Empty(t, left)
			switch verb {
			case "unload":
				require.Zero(t, rxcql(t, "load", dump, "--into", "archive.t", "--hosts", host).code)
				fallthrough
			case "copy":
				require.EqualValues(t, len(g.Rows), rowsOf(t, host, "archive.t"))
			case "count":
				require.Contains(t, got.out, fmt.Sprintf("ks.t: %d rows", len(g.Rows)))
			}

			g.BuryAt(g.Rows[0])
			if verb == "unload" {
				args = append(args, "--replace")
			}
			got = rxcql(t, args...)
			require.Equal(t, 3, got.code, "%s: %s%s", verb, got.out, got.err)
			require.Contains(t, got.out, "the next run begins anew")
		})
	}
}

// A table that has failed is worse, in whatever order they come.
func TestATableThatFailedCountsMoreThanOneWithPartsThatCannotBeRead(t *testing.T) {
	g, host := graveyard(t, 1)
	g.Server.Exec("CREATE TABLE ks.a (id int PRIMARY KEY)", "CREATE TABLE ks.z (id int PRIMARY KEY)", "INSERT INTO ks.z (id) VALUES (1)")
	args := []string{"count", "ks", "--hosts", host, "--progress", "none", "--retry-time", "0"}
	got := rxcql(t, args...)
	require.Equal(t, 3, got.code, got.out)
	require.Contains(t, got.out, "3 tables: 2 done, 1 left")
	for _, table := range []string{"ks.a", "ks.z"} {
		stop := failing(g.Server, table)
		got = rxcql(t, args...)
		stop()
		require.Equal(t, 1, got.code, got.out)
		require.Contains(t, got.out, "3 tables: 1 done, 1 left, 1 failed")
	}
}

func TestPartsThatCannotBeReadAreNoExcuseForAFailure(t *testing.T) {
	unread, other := &lib.UnreadError{Parts: 2}, errors.New("another")
	_, err := verbs.ResultOf(lib.Report{UnreadParts: 2}, unread)
	require.NoError(t, err)
	for _, failed := range []error{errors.Join(unread, other), fmt.Errorf("empty the target: %w", unread), &lib.UnknownOutcomeError{Rows: 1, Err: unread}} {
		_, err = verbs.ResultOf(lib.Report{UnreadParts: 2}, failed)
		require.Equal(t, failed, err)
	}
}
