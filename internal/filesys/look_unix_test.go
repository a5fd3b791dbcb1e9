//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package filesys_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/filesys"
)

// A reader's look at the lock takes as long as the machine makes it: here until a
// writer has met it.
func TestAWriterWaitsForALookThatTakesLong(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(path, []byte("1\n"), 0o600))
	looker, err := os.Open(path)
	require.NoError(t, err)
	defer looker.Close()
	require.NoError(t, syscall.Flock(int(looker.Fd()), syscall.LOCK_SH))

	got := make(chan error, 1)
	go func() {
		f, err := filesys.Write(path, false)
		if err == nil {
			f.Close()
		}
		got <- err
	}()
	select {
	case err := <-got:
		t.Fatalf("the writer did not wait: %v", err)
	case <-time.After(100 * time.Millisecond): // ten times what a writer once waited
	}
	require.NoError(t, syscall.Flock(int(looker.Fd()), syscall.LOCK_UN))
	require.NoError(t, <-got)
}

func TestAWriterIsToldOfAnother(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	first, err := filesys.Write(path, true)
	require.NoError(t, err)
	defer first.Close()
	_, err = filesys.Write(path, false)
	require.ErrorIs(t, err, filesys.ErrLocked)
	_, err = filesys.Read(path)
	require.ErrorIs(t, err, filesys.ErrLocked)
}
