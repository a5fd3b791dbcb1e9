package checkpoint_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
)

func TestASecondLockInTheProcessIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "job")
	store := checkpoint.File(path)
	first, err := store.Lock(t.Context(), "job")
	require.NoError(t, err)
	for range 2 { // a refused Lock takes nothing away from the first
		_, err = store.Lock(t.Context(), "job")
		require.ErrorIs(t, err, rxcql.ErrCheckpointLocked)
		require.ErrorContains(t, err, path)
		require.ErrorContains(t, err, fmt.Sprintf("process %d (this one)", os.Getpid()))
	}
	require.NoError(t, first.Unlock())
	second := lockFile(t, path)

	// Who has unlocked must not write any more, nor take the lock from others.
	require.ErrorIs(t, first.Save(t.Context(), []byte("late")), rxcql.ErrCheckpointLost)
	require.NoError(t, first.Unlock())
	require.NoError(t, second.Save(t.Context(), []byte("mine")))
	_, err = store.Lock(t.Context(), "job")
	require.ErrorIs(t, err, rxcql.ErrCheckpointLocked)
}

func TestTheLockOfAnotherProcessEndsWithIt(t *testing.T) {
	for _, end := range []string{"kill -9", "Unlock"} {
		path := filepath.Join(t.TempDir(), "job")
		other := startHelper(t, "hold", path, "saved by another process")
		require.Equal(t, "saved", other.line(t))
		_, err := checkpoint.File(path).Lock(t.Context(), "job")
		require.ErrorIs(t, err, rxcql.ErrCheckpointLocked, end)
		require.ErrorContains(t, err, fmt.Sprintf("process %d holds %s.lock", other.cmd.Process.Pid, path))

		if end == "Unlock" {
			require.NoError(t, other.stdin.Close())
			require.NoError(t, other.cmd.Wait())
		}
		other.kill()
		require.Equal(t, "saved by another process", string(load(t, lockFile(t, path))), end)
	}
}

func TestALockFileThatSaysNothingIsNamedAllTheSame(t *testing.T) {
	path := filepath.Join(t.TempDir(), "job")
	lockFile(t, path)
	for _, text := range []string{"", "not a number\n", "12", "-5\n", "99999999999999999999999999999999999999999\n"} {
		require.NoError(t, os.WriteFile(path+".lock", []byte(text), 0o600))
		_, err := checkpoint.File(path).Lock(t.Context(), "job")
		require.ErrorIs(t, err, rxcql.ErrCheckpointLocked)
		require.ErrorContains(t, err, "another process holds "+path+".lock")
	}
}

func TestALockFileThatWasRemovedIsALostLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "job")
	c := lockFile(t, path)
	require.NoError(t, c.Save(t.Context(), []byte("old")))
	require.NoError(t, os.Remove(path+".lock"))
	err := c.Save(t.Context(), []byte("new"))
	require.ErrorIs(t, err, rxcql.ErrCheckpointLost)
	require.ErrorContains(t, err, path)

	next := lockFile(t, path)
	require.ErrorIs(t, c.Save(t.Context(), []byte("new")), rxcql.ErrCheckpointLost)
	_, err = c.Load(t.Context())
	require.ErrorIs(t, err, rxcql.ErrCheckpointLost)
	require.Equal(t, "old", string(load(t, next)))
}

func TestKillsInTheMiddleOfSavesLeaveAVersionWhole(t *testing.T) {
	path := filepath.Join(t.TempDir(), "job")
	last := uint32(0) // that is known to be saved
	left := 0
	for round := range 40 {
		saver := startHelper(t, "save", path)
		for range 1 + round%4 {
			_, err := fmt.Sscan(saver.line(t), &last)
			require.NoError(t, err)
		}
		time.Sleep(rand.N(4 * time.Millisecond)) // making a version takes about one
		require.NoError(t, saver.cmd.Process.Kill())
		for saver.lines.Scan() { // said before it died
			_, err := fmt.Sscan(saver.lines.Text(), &last)
			require.NoError(t, err)
		}
		saver.kill()
		if _, err := os.Stat(path + ".tmp"); err == nil {
			left++
		}
		c, err := checkpoint.File(path).Lock(t.Context(), "job")
		require.NoError(t, err, "round %d", round)
		found, err := versionOf(load(t, c))
		require.NoError(t, err, "round %d", round)
		require.Contains(t, []uint32{last, last + 1}, found, "round %d", round)
		require.NoError(t, c.Unlock())
	}
	require.Positive(t, left, "no kill came in the middle of a Save, so nothing was shown")
	t.Logf("%d of 40 kills left a file half written, %d versions", left, last)
}
