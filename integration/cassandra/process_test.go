//go:build unix

package cassandra_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

// startProcess starts a cluster as a process, whatever else the machine offers.
func startProcess(t *testing.T, opts ...cassandra.Option) *cassandra.Cluster {
	t.Helper()
	t.Setenv("CASSANDRA_HOSTS", "")
	t.Setenv("RXCQL_CASSANDRA", "process")
	c, err := cassandra.Start(context.Background(), opts...)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, c.Stop()) })
	return c
}

func requireAnswers(t *testing.T, c *cassandra.Cluster) {
	t.Helper()
	session, err := c.Config().CreateSession()
	require.NoError(t, err)
	defer session.Close()
	var version string
	require.NoError(t, session.Query("SELECT release_version FROM system.local").Scan(&version))
	require.NotEmpty(t, version)
}

func gone(pid int) bool { return syscall.Kill(pid, 0) == syscall.ESRCH }

func TestAProcessIsPausedResumedKilledRestartedAndStopped(t *testing.T) {
	c := startProcess(t, cassandra.Restarts())
	require.Equal(t, cassandra.WayProcess, c.Way())
	require.Len(t, c.Nodes(), 1)
	node := c.Nodes()[0]
	require.Equal(t, c.Hosts()[0], node.Host())
	require.NotEqual(t, cluster.Hosts(), c.Hosts(), "two instances live side by side")

	patient, err := c.Config().CreateSession()
	require.NoError(t, err)
	require.NoError(t, patient.Query("CREATE KEYSPACE k WITH replication = {'class': 'SimpleStrategy', "+
		"'replication_factor': 1}").Exec())
	require.NoError(t, patient.Query("CREATE TABLE k.t (k int PRIMARY KEY, v text)").Exec())
	require.NoError(t, patient.Query("INSERT INTO k.t (k, v) VALUES (1, 'kept')").Exec())
	patient.Close()

	cfg := c.Config()
	cfg.Logger = quiet{}
	session, err := cfg.CreateSession()
	require.NoError(t, err)
	defer session.Close()
	require.NoError(t, node.Pause())
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	require.ErrorIs(t, session.Query("SELECT k FROM k.t").WithContext(ctx).Exec(), context.DeadlineExceeded, "a paused node answers nothing")
	require.NoError(t, node.Resume())
	require.Eventually(t, func() bool { return session.Query("SELECT k FROM k.t").Exec() == nil },
		3*time.Minute, 50*time.Millisecond)

	require.NoError(t, node.Pause())
	pid := node.Pid()
	require.NoError(t, node.Kill(), "a paused node can be killed")
	require.True(t, gone(pid))
	require.Zero(t, node.Pid())
	require.NoError(t, node.Kill(), "killing twice does nothing")
	require.ErrorContains(t, node.Pause(), "does not run")
	require.ErrorContains(t, node.Resume(), "does not run")

	require.NoError(t, node.Restart(context.Background()))
	require.Equal(t, c.Hosts()[0], node.Host())
	again, err := c.Config().CreateSession()
	require.NoError(t, err)
	var v string
	require.NoError(t, again.Query("SELECT v FROM k.t WHERE k = 1").Scan(&v))
	require.Equal(t, "kept", v)
	again.Close()

	pid = node.Pid()
	run := filepath.Dir(filepath.Dir(node.LogFile()))
	require.DirExists(t, run)
	require.NoError(t, c.Stop())
	require.True(t, gone(pid))
	require.NoDirExists(t, run)
	require.NoFileExists(t, run+".lock")
	require.NoError(t, c.Stop(), "stopping twice does nothing")
}

func TestANodeThatWouldNotFindItsTablesIsNotRestarted(t *testing.T) {
	for _, node := range cluster.Nodes() {
		pid := node.Pid()
		require.ErrorContains(t, node.Restart(context.Background()), "Restarts")
		require.Equal(t, pid, node.Pid())
	}
}

func TestAServerThatDoesNotComeUpGivesItsLastWordsAndLeavesNothing(t *testing.T) {
	before := runFolders(t)
	if runtime.GOOS == "linux" && cluster.Way() == cassandra.WayProcess {
		require.Equal(t, 1, before, "that of the tests")
	}
	t.Setenv("CASSANDRA_HOSTS", "")
	t.Setenv("RXCQL_CASSANDRA", "process")
	_, err := cassandra.Start(context.Background(), cassandra.Setting("no_such_setting", "1"))
	require.ErrorContains(t, err, "the server ended")
	require.ErrorContains(t, err, "no_such_setting")
	require.Equal(t, before, runFolders(t))
}

func TestCancellingTheStartEndsItAndLeavesNothing(t *testing.T) {
	before := runFolders(t)
	t.Setenv("CASSANDRA_HOSTS", "")
	t.Setenv("RXCQL_CASSANDRA", "process")
	ctx, cancel := context.WithTimeout(context.Background(), 700*time.Millisecond)
	defer cancel()
	_, err := cassandra.Start(ctx)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	require.Equal(t, before, runFolders(t))
}

// runFolders counts what this program's servers keep; other programs' come and go.
func runFolders(t *testing.T) int {
	t.Helper()
	children, err := filepath.Glob("/proc/[0-9]*/stat")
	require.NoError(t, err)
	count := 0
	for _, child := range children {
		dir, err := os.Readlink(filepath.Join(filepath.Dir(child), "cwd"))
		if err == nil && filepath.Dir(filepath.Dir(dir)) == cassandra.UserRunRoot() && isOurs(child) {
			count++
		}
	}
	return count
}

// isOurs tells from a process's stat file whether this one has started it, or one
// that this one has started.
func isOurs(stat string) bool {
	for range 10 {
		data, err := os.ReadFile(stat)
		if err != nil {
			return false
		}
		var state string
		var parent int
		_, rest, _ := strings.Cut(string(data), ") ") // behind the program's name
		if _, err := fmt.Sscan(rest, &state, &parent); err != nil {
			return false
		}
		if parent == os.Getpid() {
			return true
		}
		stat = fmt.Sprintf("/proc/%d/stat", parent)
	}
	return false
}
