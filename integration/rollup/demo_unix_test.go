//go:build unix

package rollup_test

import (
	"fmt"
	"os/exec"
	"syscall"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/stretchr/testify/require"
)

// It is the command of the documentation, where no servers are named. Its windows are shorter.
func TestRollupOneCommandStartsACassandraShowsAMovingChartAndLeavesNothing(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	s := serve(t, build(t), []string{"CASSANDRA_HOSTS=", "TMPDIR=" + folder}, "--demo", "--window", "1s")
	require.Contains(t, s.log.String(), "cassandra: starting")
	b := browse(t)
	b.do(chromedp.Navigate(s.url))
	b.lines(5)
	for range 3 {
		b.await(fmt.Sprintf("%s !== %q", firstLine, b.ask(firstLine)))
	}

	require.NoError(t, s.cmd.Process.Signal(syscall.SIGINT))
	<-s.ended
	require.True(t, s.cmd.ProcessState.Success())
	processes, err := exec.Command("ps", "-eo", "args").Output()
	require.NoError(t, err)
	require.NotContains(t, string(processes), folder, "a process is left")
}
