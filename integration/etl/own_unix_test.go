//go:build unix

package etl_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

// alone is the environment in which the example has to start a Cassandra. All
// that it writes, and the names of what it starts, are in a folder of the test.
func alone(t *testing.T) (env map[string]string, folder string) {
	t.Helper()
	folder = t.TempDir()
	return map[string]string{"TMPDIR": folder, "CASSANDRA_HOSTS": ""}, folder
}

// requireNothingLeft fails if a process, a container or a file is left.
func requireNothingLeft(t *testing.T, folder string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error {
		require.NoError(t, err)
		require.True(t, entry.IsDir(), "%s is left", path)
		require.False(t, strings.HasPrefix(entry.Name(), "run-"), "%s is left", path)
		return nil
	}))
	require.Empty(t, running(t, folder), "a process is left")
	if cluster.Way() == cassandra.WayContainer {
		out, err := exec.Command("docker", "ps", "--all", "--format", "{{.Labels}}").CombinedOutput()
		require.NoError(t, err, "%s", out)
		require.NotContains(t, string(out), folder, "a container is left")
	}
}

// running lists the processes that have the folder in their arguments.
func running(t *testing.T, folder string) []string {
	t.Helper()
	out, err := exec.Command("ps", "-eo", "pid,args").CombinedOutput()
	require.NoError(t, err, "%s", out)
	var found []string
	for line := range strings.Lines(string(out)) {
		if strings.Contains(line, folder) && !strings.Contains(line, "ps -eo") {
			found = append(found, line)
		}
	}
	return found
}

func TestWithoutHostsItStartsACassandraAndLeavesNothing(t *testing.T) {
	env, folder := alone(t)
	flights := file(t, "flights.csv", header+strings.Repeat("2001-01-01T00:01:00Z,33,2176,LAS,PHL\n", 60))
	p := start(t, env, build(t, "etl"), "--flights", flights)
	if cluster.Way() == cassandra.WayProcess {
		require.Eventually(t, func() bool { return len(running(t, folder)) > 0 }, testWait, 50*time.Millisecond,
			"its server can be seen from here while it runs")
	}
	got := p.wait(t, testWait)
	require.Zero(t, got.code, got.stderr)
	require.Empty(t, got.stderr)
	require.Contains(t, got.stdout, "starting one")
	require.Contains(t, got.stdout, "LAS-PHL")
	requireNothingLeft(t, folder)
}

func TestASignalLeavesNothingOfItsOwnCassandra(t *testing.T) {
	etl := build(t, "etl")
	t.Run("while it starts", func(t *testing.T) {
		env, folder := alone(t)
		p := start(t, env, etl)
		p.waitFor(t, "starting one")
		if cluster.Way() == cassandra.WayProcess {
			require.Eventually(t, func() bool { return len(running(t, folder)) > 0 }, testWait, 20*time.Millisecond)
		}
		require.NoError(t, p.cmd.Process.Signal(syscall.SIGINT))
		got := p.wait(t, testWait)
		require.Equal(t, 130, got.code, got.stderr)
		requireNothingLeft(t, folder)
	})
	t.Run("in mid-load", func(t *testing.T) {
		env, folder := alone(t)
		flights := startFeed(t)
		p := start(t, env, etl, "--flights", flights.path)
		flights.waitForLoading(t, p)
		require.NoError(t, p.cmd.Process.Signal(syscall.SIGINT))
		got := p.wait(t, testWait)
		require.Equal(t, 130, got.code, got.stderr)
		require.Contains(t, got.stdout, "ended by Stop")
		requireNothingLeft(t, folder)
	})
}

func TestAReaderThatGoesAwayLeavesNothing(t *testing.T) {
	env, folder := alone(t)
	flights := file(t, "flights.csv", header+"2001-01-01T00:01:00Z,33,2176,LAS,PHL\n")
	got := start(t, env, "sh", "-c", `"$0" --flights "$1" | head -n 1`, build(t, "etl"), flights).wait(t, testWait)
	require.Contains(t, got.stdout, "starting one")
	require.Contains(t, got.stderr, "broken pipe")
	requireNothingLeft(t, folder)
}
