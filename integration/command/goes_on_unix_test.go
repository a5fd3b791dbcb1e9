//go:build unix

package command_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

// Each run but the last is so slow that it would take half a minute.
var (
	slowRuns = [][]string{
		{"--rate", "200", "--splits", "24", "--workers", "1"},
		{"--rate", "200", "--splits", "200", "--workers", "6"},
		{"--rate", "200", "--splits", "64", "--workers", "3"},
	}
	lastRun = []string{"--splits", "5", "--workers", "2"}
)

// One job of each verb is stopped again and again, and goes on under other splits, workers and
// rates. What it has done is not done again, and nothing is left out.
func TestTransferJobsGoOnUnderOtherSplitsAndWorkers(t *testing.T) {
	const n = 6000
	session, ks := cassandra.Keyspace(t, cluster)
	table := ks + ".t"
	planted := twins(t, session, table, ks+".twin", n)
	whole := timed(t, session, table)
	quiet := []string{"--progress", "none", "--json", "-"}

	// goesOn stops a job in each of the slow runs, and lets the last one end with that exit code.
	goesOn := func(t *testing.T, code int, checkpoint string, args ...string) report {
		args = append(args, quiet...)
		for _, how := range slowRuns {
			r := stopped(t, checkpoint, slices.Concat(args, how)...)
			require.Contains(t, r.GoOn, "the run goes on with the same command")
		}
		done := settled(t, checkpoint)
		require.Positive(t, done)
		got, stdout, stderr := run(t, slices.Concat(args, lastRun)...)
		require.Equal(t, code, got, stderr)
		r := parsed(t, stdout)
		require.LessOrEqual(t, r.Written, int64(n)-done, "what was settled is not written again")
		return r
	}
	t.Run("copy", func(t *testing.T) {
		t.Parallel()
		folder := t.TempDir()
		r := goesOn(t, 0, filepath.Join(folder, table+".checkpoint"),
			"copy", table, "--to", ks+".copy", "--create", "--times", "--checkpoint", folder)
		require.EqualValues(t, n, r.Read, "those of the runs before are counted")
		require.Equal(t, whole, timed(t, session, ks+".copy"))
	})
	t.Run("unload", func(t *testing.T) {
		t.Parallel()
		folder := t.TempDir()
		out := filepath.Join(folder, "out")
		r := goesOn(t, 0, filepath.Join(folder, table+".checkpoint"),
			"unload", table, "--out", out, "--format", "ndjson", "--file-bytes", "64KiB", "--checkpoint", folder)
		require.EqualValues(t, n, r.Read)
		keys := unloadedKeys(t, out)
		require.Len(t, keys, n, "each row is in the files once")
		for _, at := range keys {
			require.Contains(t, whole, at)
		}
		require.Len(t, slices.Compact(keys), n)
	})
	t.Run("diff", func(t *testing.T) {
		t.Parallel()
		out := t.TempDir()
		goesOn(t, 3, filepath.Join(out, table, "scan.checkpoint"),
			"diff", table, "--to", ks+".twin", "--times", "--pause", "0", "--out", out)
		require.Equal(t, planted, differing(t, out, table))
	})
	t.Run("copy in shares", func(t *testing.T) {
		t.Parallel()
		const shares = 3
		folder := t.TempDir()
		var read atomic.Int64
		t.Run("all", func(t *testing.T) { // returns when all shares have ended
			for i := range shares {
				t.Run(fmt.Sprint("share ", i), func(t *testing.T) {
					t.Parallel()
					args := slices.Concat([]string{"copy", table, "--to", ks + ".in_shares", "--create", "--times", "--checkpoint", folder, "--shard", fmt.Sprintf("%d/%d", i, shares)}, quiet)
					stopped(t, filepath.Join(folder, fmt.Sprintf("%s.%d-of-%d.checkpoint", table, i, shares)), slices.Concat(args, slowRuns[i])...)
					code, stdout, stderr := run(t, slices.Concat(args, lastRun)...)
					require.Zero(t, code, stderr)
					read.Add(parsed(t, stdout).Read)
				})
			}
		})
		require.EqualValues(t, n, read.Load(), "each row is in one share")
		require.Equal(t, whole, timed(t, session, ks+".in_shares"))
	})
}

// unloadedKeys are the keys of the rows in a folder of NDJSON, sorted.
func unloadedKeys(t *testing.T, folder string) (keys []string) {
	t.Helper()
	for _, name := range files(t, folder) {
		require.Equal(t, ".ndjson", filepath.Ext(name), "no file is left incomplete")
		text, err := os.ReadFile(filepath.Join(folder, name))
		require.NoError(t, err)
		for line := range strings.Lines(string(text)) {
			var row struct{ P, C int }
			require.NoError(t, json.Unmarshal([]byte(line), &row))
			keys = append(keys, key(row.P, row.C))
		}
	}
	slices.Sort(keys)
	return keys
}
