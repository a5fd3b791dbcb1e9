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
	"syscall"
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

// workersOnly takes from flags those that are of token ranges, which files do not have.
func workersOnly(flags []string) []string {
	at := slices.Index(flags, "--splits")
	return slices.Delete(slices.Clone(flags), at, at+2)
}

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
	t.Run("load", func(t *testing.T) {
		t.Parallel()
		folder := t.TempDir()
		files := filepath.Join(folder, "files")
		code, _, stderr := run(t, "unload", table, "--out", files, "--file-bytes", "64KiB", "--files", "4", "--progress", "none")
		require.Zero(t, code, stderr)
		to := ks + ".loaded"
		require.NoError(t, session.Query("CREATE TABLE "+to+" (p bigint, c int, a text, b bigint, PRIMARY KEY (p, c))").Exec())
		args := slices.Concat([]string{"load", files, "--into", to, "--checkpoint", folder}, quiet)
		checkpoint := filepath.Join(folder, to+".checkpoint")
		for _, how := range slowRuns {
			stopped(t, checkpoint, slices.Concat(args, workersOnly(how))...)
		}
		done := settled(t, checkpoint)
		require.Positive(t, done)
		code, stdout, stderr := run(t, slices.Concat(args, workersOnly(lastRun))...)
		require.Zero(t, code, stderr)
		require.LessOrEqual(t, parsed(t, stdout).Written, int64(n)-done, "what was settled is not written again")
		same(t, session, table, to)
	})
	t.Run("repair", func(t *testing.T) {
		t.Parallel()
		folder := t.TempDir()
		found, results := filepath.Join(folder, "found"), filepath.Join(folder, "results")
		twin := ks + ".twin_to_repair"
		planted := twins(t, session, ks+".whole", twin, n)
		code, _, stderr := run(t, "diff", ks+".whole", "--to", twin, "--times", "--pause", "0", "--out", found, "--progress", "none")
		require.Equal(t, 3, code, stderr)
		args := slices.Concat([]string{"repair", ks + ".whole", "--to", twin, "--times", "--from", found, "--out", results}, quiet)
		for i, workers := range []string{"1", "6", "3"} {
			before := lastWritten(results)
			p := start(t, slices.Concat(args, []string{"--rate", "20", "--workers", workers})...)
			require.True(t, p.until(t, func() bool { return lastWritten(results).After(before) }), "run %d ended", i)
			require.NoError(t, p.cmd.Process.Signal(syscall.SIGINT))
			require.Equal(t, 4, p.wait(t), p.stderr.String())
		}
		code, _, stderr = run(t, slices.Concat(args, workersOnly(lastRun))...)
		require.Equal(t, 3, code, stderr) // what is newer on the target is left
		repairedAll(t, filepath.Join(results, ks+".whole"), planted)
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
