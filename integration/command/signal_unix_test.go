//go:build unix

package command_test

import (
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

func TestASignalEndsARunInOrderAndTheSameCommandGoesOn(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"SIGINT": syscall.SIGINT, "SIGTERM": syscall.SIGTERM} {
		t.Run(name, func(t *testing.T) { endsInOrder(t, signal) })
	}
}

func endsInOrder(t *testing.T, signal syscall.Signal) {
	t.Helper()
	session, ks := cassandra.Keyspace(t, cluster)
	fill(t, session, ks+".t", 10_000)
	fill(t, session, ks+".u", 100)
	require.NoError(t, session.Query("CREATE TABLE "+ks+".copy (p bigint, c int, a text, b bigint, PRIMARY KEY (p, c))").Exec())
	folder := t.TempDir()
	args := []string{"copy", ks + ".t", "--to", ks + ".copy", "--checkpoint", folder, "--progress", "none", "--json", "-"}
	p := start(t, append(args, "--rate", "500")...)
	for len(rows(t, session, ks+".copy")) == 0 { // until it is at work
		select {
		case <-p.over:
			require.Fail(t, "it ended", p.stderr.String())
		case <-time.After(20 * time.Millisecond):
		}
	}
	require.NoError(t, p.cmd.Process.Signal(signal))
	require.Equal(t, 4, p.wait(t), p.stderr.String())
	r := parsed(t, p.stdout.String())
	require.Equal(t, "stopped", r.Tables[0].Status)
	require.Positive(t, r.Read)
	require.Equal(t, r.Read, r.Written, "what has been read is written")
	require.Len(t, rows(t, session, ks+".copy"), int(r.Written))
	require.True(t, strings.HasPrefix(r.GoOn, "the run goes on with the same command: rxcql copy "), r.GoOn)

	code, stdout, stderr := run(t, args...)
	require.Zero(t, code, stderr)
	second := parsed(t, stdout)
	require.EqualValues(t, 10_000, second.Read, "those of the run before are counted")
	require.EqualValues(t, 10_000-r.Written, second.Written, "and not copied again")
	same(t, session, ks+".t", ks+".copy")
}
