//go:build unix

package cassandra_test

import (
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

func TestAReleasedWatchdogLeavesTheProcessAlone(t *testing.T) {
	cmd := exec.Command("sleep", "1000")
	require.NoError(t, cmd.Start())
	release := cassandra.StartWatchdog(cmd.Process.Pid)
	release()
	time.Sleep(100 * time.Millisecond)
	require.False(t, gone(cmd.Process.Pid))
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait() // its error is the kill
}

func TestAWatchdogKillsTheProcessOfAKilledProgram(t *testing.T) {
	cmd, pid, _ := startChild(t, "watched wait")
	require.False(t, gone(pid))
	require.NoError(t, cmd.Process.Kill())
	_ = cmd.Wait() // its error is the kill
	requireGone(t, pid)
}
