package rollup_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

// It would take readings, and its job would be refused each second.
func TestRollupWithWindowsOfAnotherLengthOnOneKeyspaceDoesNotStart(t *testing.T) {
	t.Parallel()
	_, keyspace := cassandra.Keyspace(t, cluster)
	program := build(t)
	s := start(t, program, keyspace, "--window", "2s")
	other := exec.Command(program, "--hosts", strings.Join(cluster.Hosts(), ","), "--keyspace", keyspace, "--listen", "127.0.0.1:0", "--window", "3s")
	said, err := other.CombinedOutput() // it ends by itself
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "%s", said)
	require.Equal(t, 1, exit.ExitCode())
	require.Contains(t, string(said), "--window 3s: the windows of keyspace "+keyspace+" are 2s long; give --window 2s, or another --keyspace")
	require.NotContains(t, string(said), "serving")
	select {
	case <-s.ended:
		require.Fail(t, "the first one has ended", s.log)
	default:
	}
	start(t, program, keyspace, "--window", "2s")
}
