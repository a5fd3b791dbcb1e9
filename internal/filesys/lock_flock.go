//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package filesys

import (
	"errors"
	"math/rand/v2"
	"os"
	"syscall"
	"time"
)

// lock takes the writer's lock. To look whether a file is being written, one shares the lock for a
// moment, which may be long on a busy machine. A writer does not share it; so if it can be shared
// there is no writer, and lock tries again.
func lock(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	until := time.Now().Add(longestLook)
	for {
		var locking error
		err = raw.Control(func(fd uintptr) { locking = syscall.Flock(int(fd), syscall.LOCK_EX|syscall.LOCK_NB) })
		if err != nil || !errors.Is(locking, syscall.EWOULDBLOCK) {
			return err // a file system without locks is no reason not to write
		}
		if written(f) || time.Now().After(until) {
			return ErrLocked
		}
		time.Sleep(rand.N(time.Millisecond)) // two writers may each have met the other's look
	}
}

// longestLook ends the wait for a process that looks, for example one that was stopped in the
// middle of it.
const longestLook = time.Minute

// written reports whether a writer holds the lock of the file, by sharing the lock for a moment.
func written(f *os.File) (locked bool) {
	raw, err := f.SyscallConn()
	if err != nil {
		return false
	}
	_ = raw.Control(func(fd uintptr) {
		if locked = errors.Is(syscall.Flock(int(fd), syscall.LOCK_SH|syscall.LOCK_NB), syscall.EWOULDBLOCK); !locked {
			_ = syscall.Flock(int(fd), syscall.LOCK_UN)
		}
	})
	return locked
}

// SyncFolder makes the names in a folder durable.
func SyncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
