package rollup_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

// It would take readings, and its job would be refused each second. With another time for writes it
// would acknowledge readings that the tail of the first one misses.
func TestRollupWithWindowsOfAnotherLengthOrWritesOfAnotherTimeOnOneKeyspaceDoesNotStart(t *testing.T) {
	t.Parallel()
	_, keyspace := cassandra.Keyspace(t, cluster)
	program := build(t)
	s := start(t, program, keyspace, "--window", "2s")
	other := exec.Command(program, "--hosts", strings.Join(cluster.Hosts(), ","), "--keyspace", keyspace, "--listen", "127.0.0.1:0",
		"--window", "3s", "--write-deadline", "1m")
	said, err := other.CombinedOutput() // it ends by itself
	var exit *exec.ExitError
	require.ErrorAs(t, err, &exit, "%s", said)
	require.Equal(t, 1, exit.ExitCode())
	require.Contains(t, string(said), "--window 3s on keyspace "+keyspace+": the windows of this keyspace are 2s long; give that, or another --keyspace")
	require.Contains(t, string(said), "--write-deadline 1m0s on keyspace "+keyspace+": the instances of this keyspace have 2s; give that, or stop all of them")
	require.NotContains(t, string(said), "serving")
	select {
	case <-s.ended:
		require.Fail(t, "the first one has ended", s.log)
	default:
	}
	start(t, program, keyspace, "--window", "2s")
}
