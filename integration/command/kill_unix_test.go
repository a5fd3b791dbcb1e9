//go:build unix

package command_test

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/transfer"
)

// killedRows is how many rows the tables have that killed runs work on: at killedRate a run takes a
// second at least, in which it is killed.
const (
	killedRows = 8000
	killedRate = "8k"
)

func TestTransferACopyThatIsKilledAtRandomIsWhole(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	fill(t, session, ks+".t", killedRows)
	n, rounds := 0, 0
	for ; n < share(); rounds++ {
		to, folder := fmt.Sprintf("%s.copy_%d", ks, rounds), t.TempDir()
		n += killed(t, share()-n, 0, folder, "copy", ks+".t", "--to", to, "--create", "--checkpoint", folder, "--splits", fmt.Sprint(16+rounds), "--rate", killedRate, "--progress", "none")
		same(t, session, ks+".t", to)
	}
	t.Logf("killed %d times in %d copies", n, rounds)
}

func TestTransferACountThatIsKilledAtRandomCountsEachRowOnce(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	fill(t, session, ks+".t", killedRows)
	for n := 0; n < share(); {
		folder := t.TempDir()
		args := []string{"count", ks + ".t", "--checkpoint", folder, "--rate", killedRate, "--progress", "none"}
		n += killed(t, share()-n, 0, folder, args...)
		code, stdout, stderr := run(t, append(args, "--json", "-")...)
		require.Zero(t, code, stderr)
		require.EqualValues(t, killedRows, counted(t, parsed(t, stdout).Tables[0]).Rows)
	}
}

func TestTransferUnloadsAndLoadsThatAreKilledAtRandomAreWhole(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	fill(t, session, ks+".t", killedRows)
	for out, in, round := 0, 0, 0; out < share() || in < share(); round++ {
		folder := t.TempDir()
		file, saves := filepath.Join(folder, "t.csv"), filepath.Join(folder, "saves")
		out += killed(t, max(0, share()-out), 0, saves, "unload", ks+".t", "--out", file, "--checkpoint", saves, "--rate", killedRate, "--progress", "none")
		require.Equal(t, killedRows+1, lines(t, file), "a header, and each row once")
		for i, flags := range [][]string{{"--spread"}, nil} {
			to := fmt.Sprintf("%s.loaded_%d_%d", ks, round, i)
			require.NoError(t, session.Query("CREATE TABLE "+to+" (p bigint, c int, a text, b bigint, PRIMARY KEY (p, c))").Exec())
			saves = filepath.Join(folder, fmt.Sprint("loads", i))
			args := append([]string{"load", file, "--into", to, "--checkpoint", saves, "--rate", killedRate, "--progress", "none"}, flags...)
			in += killed(t, max(0, (share()-in+1-i)/(2-i)), 0, saves, args...)
			same(t, session, ks+".t", to)
		}
	}
}

func TestTransferDiffsAndRepairsThatAreKilledAtRandomAreRight(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	for diffs, repairs, round := 0, 0, 0; diffs < share() || repairs < share(); round++ {
		table, to, folder := fmt.Sprintf("%s.t_%d", ks, round), fmt.Sprintf("%s.copy_%d", ks, round), t.TempDir()
		want := twins(t, session, table, to, killedRows)
		common := []string{"--to", to, "--times", "--progress", "none", "--out"}
		diff := func(out string, more ...string) []string {
			return slices.Concat([]string{"diff", table, "--pause", "0"}, common, []string{out}, more)
		}
		found := filepath.Join(folder, "found")
		diffs += killed(t, max(0, share()-diffs), 3, found, diff(found, "--rate", killedRate)...)
		require.Equal(t, want, differing(t, found, table), "each planted one, once")

		results := filepath.Join(folder, "repaired")
		args := slices.Concat([]string{"repair", "--from", found, "--rate", "500"}, common, []string{results})
		repairs += killed(t, max(0, share()-repairs), 3, results, args...)
		repairedAll(t, filepath.Join(results, table), want)
		rows, source := timed(t, session, to), timed(t, session, table)
		require.Len(t, rows, len(source))
		for at, row := range source {
			if want[at] == transfer.Newer {
				require.Contains(t, rows[at], "newer")
			} else {
				require.Equal(t, row, rows[at], at)
			}
		}
		maps.DeleteFunc(want, func(_ string, cause transfer.Cause) bool { return cause != transfer.Newer })
		again := filepath.Join(folder, "again")
		code, _, stderr := run(t, diff(again)...)
		require.Equal(t, 3, code, stderr)
		require.Equal(t, want, differing(t, again, table), "nothing but what is newer is left")
	}
}

// repairedAll looks at what became of each difference. A run that was killed may have written rows
// that the next one found equal.
func repairedAll(t *testing.T, folder string, want map[string]transfer.Cause) {
	t.Helper()
	outcomes, err := transfer.Outcomes(folder).Collect(t.Context())
	require.NoError(t, err)
	results := map[string]transfer.Result{}
	for _, o := range outcomes {
		at := keyOf(t, o.Difference)
		require.NotContains(t, results, at, "a row is named once")
		require.Contains(t, want, at)
		results[at] = o.Result
	}
	for at, cause := range want {
		if cause == transfer.Newer {
			require.Equal(t, transfer.Left, results[at])
		} else {
			require.Contains(t, []transfer.Result{transfer.Repaired, transfer.AlreadyEqual}, results[at])
		}
	}
}
