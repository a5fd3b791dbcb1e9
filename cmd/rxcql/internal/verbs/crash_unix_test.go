//go:build unix

package verbs_test

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAPanicOutOfReachEndsTheProcessByASignalAndNotWithTheCodeOfWrongArguments(t *testing.T) {
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.Command(self, "version")
	cmd.Env, cmd.Dir = append(os.Environ(), crashes+"=1"), t.TempDir()
	said, err := cmd.CombinedOutput()
	var ended *exec.ExitError
	require.ErrorAs(t, err, &ended, "%s", said)
	status, ok := ended.Sys().(syscall.WaitStatus)
	require.True(t, ok)
	require.True(t, status.Signaled(), "exit code %d: %s", status.ExitStatus(), said)
	require.Equal(t, syscall.SIGABRT, status.Signal())
	require.False(t, status.CoreDump(), "memory has rows and passwords")
	require.Contains(t, string(said), "out of reach")
	left, err := os.ReadDir(cmd.Dir)
	require.NoError(t, err)
	require.Empty(t, left)
}
