//go:build unix

package etl_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The example that starts a second process, which has to find the same server.
func TestAnExampleWithoutHostsStartsACassandraAndLeavesNothing(t *testing.T) {
	env, folder := alone(t)
	got := start(t, env, build(t, "resume")).wait(t, testWait)
	require.Zero(t, got.code, got.stderr)
	requireGoneOnWith(t, got.stdout)
	require.Contains(t, got.stderr, "starting Cassandra")
	requireNothingLeft(t, folder)
}

func TestAnExampleThatIsInterruptedLeavesNothing(t *testing.T) {
	env, folder := onOurs(t)
	p := start(t, env, build(t, "resume"))
	for !strings.Contains(p.stderr.String(), "dropped at the end") {
		select {
		case <-p.ended:
			require.Fail(t, "the example has ended", p.stderr.String())
		case <-time.After(5 * time.Millisecond): // to look again
		}
	}
	require.NoError(t, p.cmd.Process.Signal(syscall.SIGINT))
	got := p.wait(t, testWait)
	require.Equal(t, 1, got.code, got.stderr)
	require.Contains(t, got.stderr, "resume: ")
	requireCleanedUp(t, got.stderr, folder)
}
