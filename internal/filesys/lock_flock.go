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

// SyncFolder makes the names in a folder durable.
func SyncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
