package parquet

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rxcql/rxcql/internal/filesys"
)

// begin begins the next file, under the name that it has until it is complete.
func (o *folder) begin() error {
	if err := o.clear(); err != nil {
		return err
	}
	f, err := filesys.Write(o.part(), true)
	if err != nil {
		return err
	}
	o.f, o.n = f, 0
	return f.Truncate(0) // a run that was killed may have left one
}

func (o *folder) Write(b []byte) (int, error) {
	n, err := o.f.Write(b)
	o.n += int64(n)
	return n, err
}

func (o *folder) size() int64 { return o.n }

func (o *folder) files() int { return o.done }

// commit gives the file its name when its content is durable.
func (o *folder) commit() error {
	name := o.file(o.done + 1)
	if err := o.f.Sync(); err != nil {
		return err
	}
	if err := filesys.Same(o.f, o.part()); err != nil {
		return err
	}
	info, err := o.f.Stat()
	if err != nil {
		return err
	}
	if info.Size() != o.n {
		return fmt.Errorf("%s has %d bytes where %d were written: something else writes into it", o.part(), info.Size(), o.n)
	}
	if !o.overwrite || o.numbered { // somebody else may have made it meanwhile
		if _, err := os.Lstat(name); !errors.Is(err, fs.ErrNotExist) {
			return errors.Join(fmt.Errorf("%s: %w; it was made while this run wrote", name, fs.ErrExist), err)
		}
	}
	if err := os.Rename(o.part(), name); err != nil {
		return err
	}
	err = o.f.Close()
	o.f = nil
	if err == nil {
		err = filesys.SyncFolder(filepath.Dir(name))
	}
	o.done, o.last = o.done+1, o.n
	return err
}

// end removes what is to be overwritten, if no file was begun.
func (o *folder) end() error { return o.clear() }

func (o *folder) saved() (*saved, error) {
	if err := o.clear(); err != nil {
		return nil, err
	}
	return &saved{Files: o.done, Size: o.last}, nil
}

// discard removes a file that is not complete.
func (o *folder) discard() error {
	if o.f == nil {
		return nil
	}
	err := errors.Join(os.Remove(o.part()), o.f.Close())
	o.f = nil
	return err
}
