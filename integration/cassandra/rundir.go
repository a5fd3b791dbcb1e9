package cassandra

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// runDir is the folder with all that one instance writes. A lock is held on it as
// long as its owner lives, so that what a killed program left is known for what
// it is and removed by the next one.
type runDir struct {
	path string
	lock *flock.Flock
}

// newRunDir makes a folder under root, after removing abandoned ones.
func newRunDir(root string) (*runDir, error) {
	if err := os.MkdirAll(root, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder for data: %w", err)
	}
	sweepRunDirs(root, time.Minute)
	path, err := os.MkdirTemp(root, "run-")
	if err != nil {
		return nil, fmt.Errorf("make the folder for data: %w", err)
	}
	lock := flock.New(path + ".lock")
	if ok, err := lock.TryLock(); err != nil || !ok {
		return nil, errors.Join(fmt.Errorf("lock %s: %w", lock.Path(), err), os.RemoveAll(path))
	}
	return &runDir{path: path, lock: lock}, nil
}

// userRunRoot keeps users apart, since they cannot remove each other's files.
func userRunRoot() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("rxcql-cassandra-%d", os.Getuid()))
}

// sweepRunDirs removes folders whose owner no longer holds the lock. Younger ones
// than grace are let be: their owner may be about to take it. What cannot be
// removed is left to the next sweep.
func sweepRunDirs(root string, grace time.Duration) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return
	}
	for _, entry := range entries {
		info, err := entry.Info()
		if err != nil || !entry.IsDir() || !strings.HasPrefix(entry.Name(), "run-") ||
			time.Since(info.ModTime()) < grace {
			continue
		}
		d := &runDir{path: filepath.Join(root, entry.Name())}
		d.lock = flock.New(d.path + ".lock")
		if ok, err := d.lock.TryLock(); err == nil && ok {
			_ = d.remove()
		}
	}
}

// remove deletes the folder and gives the lock up. The lock's file goes last:
// some systems do not delete a file that is open.
func (d *runDir) remove() error {
	return errors.Join(os.RemoveAll(d.path), d.lock.Close(), os.Remove(d.lock.Path()))
}
