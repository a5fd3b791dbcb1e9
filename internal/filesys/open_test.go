package filesys_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/filesys"
)

// Reading a file looks whether another writes it: a writer that comes at that
// moment is told that another run does.
func TestALookAtALockIsNotTakenForAWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "f")
	require.NoError(t, os.WriteFile(path, []byte("1\n"), 0o600))
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if f, err := filesys.Read(path); err == nil {
				f.Close()
			}
		}
	}()
	defer func() { close(stop); <-done }()
	for i := range 20_000 {
		f, err := filesys.Write(path, false)
		require.NoError(t, err, "writer %d, and nobody else writes", i)
		f.Close()
	}
}
