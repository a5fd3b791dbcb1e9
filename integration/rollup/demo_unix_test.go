//go:build unix

package rollup_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// It is the command of the documentation, where no servers are named, and Ctrl-C, which a terminal
// sends to all processes of the command. Its windows are shorter.
func TestRollupOneCommandStartsACassandraShowsAMovingChartAndLeavesNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	cmd := exec.Command("go", "run", "./examples/rollup", "--demo", "--listen", "127.0.0.1:0", "--window", "1s")
	cmd.Dir, cmd.Env = filepath.Join("..", ".."), append(os.Environ(), "CASSANDRA_HOSTS=", "TMPDIR="+folder)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	t.Cleanup(func() { // what is left of a test that failed
		if cmd.Process != nil {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
	})
	s := serving(t, cmd)
	require.Contains(t, s.log.String(), "cassandra: starting")
	b := browse(t)
	b.do(chromedp.Navigate(s.url))
	b.lines(5)
	for range 3 {
		b.await(fmt.Sprintf("%s !== %q", firstLine, b.ask(firstLine)))
	}

	require.NoError(t, syscall.Kill(-cmd.Process.Pid, syscall.SIGINT))
	<-s.ended
	require.Contains(t, s.log.String(), "draining")
	require.NotContains(t, s.log.String(), "exit status", "go run says so of a program that fails; its own status is not 0 behind Ctrl-C")
	processes, err := exec.Command("ps", "-eo", "args").Output()
	require.NoError(t, err)
	require.NotContains(t, string(processes), folder, "a process is left")
}
