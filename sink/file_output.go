package sink

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/filesys"
	"github.com/rxcql/rxcql/internal/pack"
	"github.com/rxcql/rxcql/internal/tail"
)

// output is the file of a sink in one run. It has whole pages, up to size; what a failed page has
// left after that is cut off.
type output struct {
	path string
	pack *pack.Writer // nil for a file that is not compressed

	mu    sync.Mutex // saves come in a goroutine of their own
	f     *os.File
	begun bool  // the file is cut to size, and can be written
	size  int64 // of the pages in the file
	end   int64 // of what was written
	err   error // the first error; nothing works after it
}

// openOutput opens a file to be written from its beginning or, if a job goes on, from the position
// that was saved.
func openOutput(path string, overwrite bool, kind pack.Kind, from *tail.Place) (*output, error) {
	f, err := filesys.Write(path, from == nil)
	if err != nil {
		if from != nil && errors.Is(err, fs.ErrNotExist) {
			err = foreign(path, err)
		}
		return nil, err
	}
	o := &output{path: path, f: f}
	if kind != pack.None {
		o.pack = pack.NewWriter(kind, rawOutput{o})
	}
	if from != nil {
		o.size, o.end = from.Offset, from.Offset
		if _, err = from.Find(f); errors.Is(err, tail.ErrChanged) {
			err = foreign(path, err)
		}
	} else {
		var info fs.FileInfo
		if info, err = f.Stat(); err == nil && info.Size() > 0 && !overwrite {
			err = fmt.Errorf("%s: %w and is not empty; give sink.Overwrite() if what is in it is not needed, or another path",
				path, fs.ErrExist)
		}
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return o, nil
}

func foreign(path string, err error) error {
	return fmt.Errorf("%w: %s is not the file that the job has written: %w; bring that one back, or begin anew with another job name (and another checkpoint.File)",
		rxcql.ErrCheckpointForeign, path, err)
}

// begin cuts off what is not to stay. That is done late, so that a run which fails before anything
// is written leaves the file as it was.
func (o *output) begin() error {
	if o.err == nil && !o.begun {
		o.begun = true
		o.err = o.f.Truncate(o.size)
		if o.err == nil {
			_, o.err = o.f.Seek(o.size, io.SeekStart)
		}
	}
	return o.err
}

// write passes bytes to the compressor, or to the operating system.
func (o *output) write(b []byte) error {
	if err := o.begin(); err != nil || len(b) == 0 {
		return err
	}
	if o.pack != nil {
		_, o.err = o.pack.Write(b)
		return o.err
	}
	_, o.err = rawOutput{o}.Write(b)
	return o.err
}

// rawOutput is the file below the compressor.
type rawOutput struct{ *output }

func (o rawOutput) Write(b []byte) (int, error) {
	n, err := o.f.Write(b)
	o.end += int64(n)
	return n, err
}

// keep marks what was written as a whole page, which stays. Where there is a compressor, endMember
// does that.
func (o *output) keep() {
	if o.pack == nil {
		o.size = o.end
	}
}

// endMember lets the compressor pass on all that it has, which must be whole pages, and keeps it.
func (o *output) endMember() error {
	if o.pack != nil && o.err == nil {
		o.err = o.pack.End()
	}
	if o.err == nil {
		o.size = o.end
	}
	return o.err
}

// undo cuts off what was written since keep, and ends the writing with err.
func (o *output) undo(err error) error {
	if o.pack != nil && o.begun {
		_ = o.endMember() // the pages before; if that fails they are cut off too
	}
	o.err = err
	if o.end > o.size {
		err = errors.Join(err, o.f.Truncate(o.size))
	}
	return err
}

// sync makes durable what was written. It checks that the path still names this file, and that
// nobody else has written into it.
func (o *output) sync() error {
	if err := o.begin(); err != nil {
		return err
	}
	if o.pack != nil {
		o.err = o.pack.End()
	}
	if o.err == nil {
		o.err = o.f.Sync()
	}
	if o.err == nil {
		o.err = filesys.Same(o.f, o.path)
	}
	if o.err == nil {
		var info fs.FileInfo
		if info, o.err = o.f.Stat(); o.err == nil && info.Size() != o.end {
			o.err = fmt.Errorf("%s has %d bytes where %d were written: something else writes into it", o.path, info.Size(), o.end)
		}
	}
	return o.err
}

// close closes the file. After a run that failed it has what a compressor had, which are whole
// pages.
func (o *output) close() error {
	var err error
	if o.pack != nil && o.err == nil {
		err = o.pack.End()
	}
	return errors.Join(err, o.f.Close())
}

// place returns the end of the file, made durable.
func (o *output) place() (tail.Place, error) {
	if err := o.sync(); err != nil {
		return tail.Place{}, err
	}
	before, err := tail.Before(o.f, o.size)
	if err != nil {
		o.err = err
	}
	return tail.At(o.size, before), err
}
