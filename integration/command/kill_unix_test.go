//go:build unix

package command_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
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
	n, rounds, first := 0, 0, rand.IntN(2)
	most := func() int { return max(1, min(share()-n, (share()+1)/2)) } // so that both kinds are killed
	for ; n < share() || rounds < 2; rounds++ {
		to, folder := fmt.Sprintf("%s.copy_%d", ks, rounds), t.TempDir()
		args := []string{"copy", ks + ".t", "--to", to, "--create", "--checkpoint", folder, "--splits", fmt.Sprint(16 + rounds), "--rate", killedRate, "--progress", "none"}
		if times := rounds%2 == first; times {
			n += killed(t, most(), 0, folder, append(args, "--times")...)
			require.Equal(t, timed(t, session, ks+".t"), timed(t, session, to))
		} else {
			n += killed(t, most(), 0, folder, args...)
			same(t, session, ks+".t", to)
		}
	}
	t.Logf("killed %d times in %d copies, of which every second one keeps times", n, rounds)
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

// killedForms are how the files are written that killed runs write and read. One file of Parquet
// cannot be gone on with, which the command says.
var killedForms = map[string][]string{
	"csv in one file":         {"t.csv"},
	"csv in several files":    {"csv", "--file-bytes", "32KiB", "--files", "3"},
	"ndjson in one file":      {"t.ndjson"},
	"ndjson in several files": {"ndjson", "--format", "ndjson", "--file-bytes", "64KiB", "--files", "3"},
	"ndjson in gzip":          {"t.ndjson.gz"},
	"parquet in files":        {"parquet", "--format", "parquet", "--file-bytes", "32KiB", "--files", "2"},
}

func TestTransferUnloadsAndLoadsThatAreKilledAtRandomAreWhole(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	fill(t, session, ks+".t", killedRows)
	into := func(name string) string {
		to := ks + "." + name
		require.NoError(t, session.Query("CREATE TABLE "+to+" (p bigint, c int, a text, b bigint, PRIMARY KEY (p, c))").Exec())
		return to
	}
	forms := slices.Collect(maps.Keys(killedForms))
	rand.Shuffle(len(forms), func(i, j int) { forms[i], forms[j] = forms[j], forms[i] })
	for out, in, round := 0, 0, 0; out < share() || in < share() || round < 3; round++ {
		form := forms[round%len(forms)]
		folder := t.TempDir()
		file, saves := filepath.Join(folder, killedForms[form][0]), filepath.Join(folder, "saves")
		args := slices.Concat([]string{"unload", ks + ".t", "--out", file, "--checkpoint", saves, "--rate", killedRate, "--progress", "none"}, killedForms[form][1:])
		unloads := killed(t, max(1, share()/len(forms)), 0, saves, args...)
		code, stdout, stderr := run(t, "load", file, "--into", into(fmt.Sprint("whole_", round)), "--progress", "none", "--json", "-")
		require.Zero(t, code, stderr)
		require.EqualValues(t, killedRows, parsed(t, stdout).Read, "each row is in the files once")
		loads := 0
		for i, flags := range [][]string{{"--spread"}, nil} {
			to := into(fmt.Sprintf("loaded_%d_%d", round, i))
			saves = filepath.Join(folder, fmt.Sprint("loads", i))
			args := append([]string{"load", file, "--into", to, "--checkpoint", saves, "--rate", killedRate, "--progress", "none"}, flags...)
			loads += killed(t, max(1, share()/len(forms)/2), 0, saves, args...)
			same(t, session, ks+".t", to)
		}
		out, in = out+unloads, in+loads
		t.Logf("%s: %d unloads and %d loads were killed", form, unloads, loads)
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
