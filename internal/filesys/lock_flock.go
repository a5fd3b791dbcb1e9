//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package filesys

import (
	"errors"
	"os"
	"syscall"
)

func lock(f *os.File) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var locking error
	err = raw.Control(func(fd uintptr) { locking = syscall.Flock(int(fd), syscall.LOCK_EX|syscall.LOCK_NB) })
	if errors.Is(locking, syscall.EWOULDBLOCK) {
		return ErrLocked
	}
	return err // a file system without locks is no reason not to write
}

// written tells whether somebody has the lock. Reading takes none for longer.
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
