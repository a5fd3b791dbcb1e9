// Package mounts lets a test mount file systems that end with it.
package mounts

import (
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

const insideEnv = "RXCQL_TEST_INSIDE"

// Inside runs the test that calls it once more in a process of its own, and
// gives that one an empty folder; here it gives "". The process has mounts of its
// own, which end with it, and may make some: as root, or as the root of a user
// namespace. Any user may enter the folder.
func Inside(t *testing.T) (folder string) {
	t.Helper()
	if folder := os.Getenv(insideEnv); folder != "" {
		return folder
	}
	folder, err := os.MkdirTemp("", "inside") // not t.TempDir, which only its owner may enter
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(folder)) })
	require.NoError(t, os.Chmod(folder, 0o755)) //nolint:gosec // see above
	cmd := exec.Command(os.Args[0], "-test.v", "-test.run", "^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), insideEnv+"="+folder)
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}
	if os.Getuid() != 0 {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	require.Contains(t, string(out), "--- PASS: "+t.Name())
	t.Logf("%s", out)
	return ""
}
