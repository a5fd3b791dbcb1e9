// Package filesys opens files so that what is written can be relied on, as far as
// the operating system has the means.
package filesys

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrLocked: something else has the file open for writing, in this process or in
// another.
var ErrLocked = errors.New("another run writes this file, or another part of this one does")

// Regular returns an error if path leads to anything other than a regular file: pipes and devices
// can be neither synced, cut nor read from an offset. If nothing is there, the error is
// fs.ErrNotExist.
func Regular(path string) error {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is a %s and no regular file", path, kind(info.Mode()))
	}
	return err
}

func kind(mode fs.FileMode) string {
	switch {
	case mode.IsDir():
		return "folder"
	case mode&fs.ModeNamedPipe != 0:
		return "pipe"
	case mode&fs.ModeSocket != 0:
		return "socket"
	}
	return "device"
}

// Write opens a file for one writer, and to read what is in it; with create, it
// is made if there is none, with the mode 0644 less the umask, and its name is
// durable.
func Write(path string, create bool) (*os.File, error) {
	if err := Regular(path); err != nil && (!create || !errors.Is(err, fs.ErrNotExist)) {
		return nil, err
	}
	f, made, err := open(path, create)
	if err != nil {
		return nil, err
	}
	if err := Lock(f); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	if made {
		if err := SyncFolder(filepath.Dir(path)); err != nil {
			return nil, errors.Join(fmt.Errorf("the folder of %s: %w", path, err), f.Close())
		}
	}
	return f, nil
}

// Lock takes an open file for one writer, as Write does, until it is closed. It holds under every
// name of the file.
func Lock(f *os.File) error {
	if err := lock(f); err != nil {
		return fmt.Errorf("%s: %w", f.Name(), err)
	}
	return nil
}

// Read opens a file to read it. It refuses a file that is being written here: the reading might
// never end, or what is read might be lost.
func Read(path string) (*os.File, error) {
	if err := Regular(path); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if written(f) {
		return nil, errors.Join(fmt.Errorf("%s: %w; let it be closed first, or write to another file", path, ErrLocked), f.Close())
	}
	return f, nil
}

// Same returns an error if the path no longer leads to the file: what was written into it would be
// lost when it is closed.
func Same(f *os.File, path string) error {
	mine, err := f.Stat()
	if err != nil {
		return err
	}
	named, err := os.Stat(path)
	if err != nil || !os.SameFile(mine, named) {
		return errors.Join(fmt.Errorf("%s was removed or replaced while it was written", path), err)
	}
	return nil
}

func open(path string, create bool) (f *os.File, made bool, err error) {
	if create {
		f, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o644)
		if err == nil || !errors.Is(err, fs.ErrExist) {
			return f, err == nil, err
		}
	}
	f, err = os.OpenFile(path, os.O_RDWR, 0)
	return f, false, err
}
