//go:build unix

package checkpoint_test

import (
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/checkpoint"
)

func TestTheJobOfAProcessThatWasKilledIsFreeWhenItsLeaseEnds(t *testing.T) {
	session, table := newTable(t)
	holder := startHolder(t, table)
	require.Equal(t, "saved", holder.save(t, "of the first"))
	time.Sleep(shortLease + 2*time.Second) // it has been renewed
	refused(t, session, table, "job")
	holder.kill()
	refused(t, session, table, "job")
	c, took := takeOver(t, checkpoint.Table(session, table))
	require.Greater(t, took, time.Second)
	require.Equal(t, "of the first", load(t, c))
	t.Logf("free after %v", took)
}

func TestAProcessThatWasStoppedCannotSaveOverItsSuccessor(t *testing.T) {
	session, table := newTable(t)
	zombie := startHolder(t, table)
	require.Equal(t, "saved", zombie.save(t, "of the first"))
	require.NoError(t, zombie.cmd.Process.Signal(syscall.SIGSTOP))
	c, _ := takeOver(t, checkpoint.Table(session, table))
	require.Equal(t, "of the first", load(t, c))
	require.NoError(t, save(t, c, "of the second"))

	require.NoError(t, zombie.cmd.Process.Signal(syscall.SIGCONT))
	require.Equal(t, "lost", zombie.save(t, "of the zombie"))
	require.Equal(t, "lost", zombie.save(t, "of the zombie"))
	require.Equal(t, "of the second", load(t, c))
	require.NoError(t, save(t, c, "of the second again"))
	refused(t, session, table, "job")
}
