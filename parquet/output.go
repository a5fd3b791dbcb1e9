package parquet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/filesys"
)

// output is where files go in one run.
type output interface {
	io.Writer
	begin() error           // begins a file
	size() int64            // bytes of the file so far
	commit() error          // makes the file durable, under its name
	files() int             // how many are complete
	end() error             // is called when all rows are in files
	saved() (*saved, error) // what a checkpoint is to have
	discard() error         // gives up a file that is not complete
}

// saved is what a checkpoint has of numbered files.
type saved struct {
	Files int   `json:"files"` // that are complete
	Size  int64 `json:"size"`  // of the last one
}

func restored(data []byte) (*saved, error) {
	if data == nil {
		return nil, nil // a run that begins
	}
	var s saved
	if err := json.Unmarshal(data, &s); err != nil || s.Files < 0 {
		return nil, fmt.Errorf("%w: which files are complete cannot be read", rxcql.ErrCheckpointDamaged)
	}
	return &s, nil
}

// userWriter is a writer of the user's.
type userWriter struct {
	w    io.Writer
	n    int64
	done int
}

func (s *userWriter) Write(b []byte) (int, error) {
	n, err := s.w.Write(b)
	s.n += int64(n)
	return n, err
}

func (s *userWriter) begin() error           { return nil }
func (s *userWriter) size() int64            { return s.n }
func (s *userWriter) commit() error          { s.done++; return nil }
func (s *userWriter) files() int             { return s.done }
func (s *userWriter) end() error             { return nil }
func (s *userWriter) saved() (*saved, error) { return nil, rxcql.ErrNotResumable }
func (s *userWriter) discard() error         { return nil }

// folder is a file, or numbered files, in a folder.
type folder struct {
	path      string
	names     numbering
	numbered  bool
	overwrite bool
	done      int   // files that are complete
	last      int64 // the size of the last one
	cleared   bool  // files that were there before are gone

	f *os.File // the file that is being written
	n int64
}

// openFiles looks at what is there. before is what a job that goes on has saved.
func openFiles(r *rxcql.Execution, path string, cfg writeConfig, before *saved) (output, error) {
	o := &folder{path: path, names: numberingOf(path), numbered: cfg.fileBytes > 0, overwrite: cfg.overwrite}
	if before != nil {
		return o, o.goOn(before)
	}
	there, err := o.there()
	if err != nil {
		return nil, err
	}
	for _, name := range there {
		info, err := os.Stat(name)
		switch {
		case err != nil:
			return nil, err
		case !info.Mode().IsRegular():
			return nil, filesys.Regular(name)
		case r.ReadsFile(info):
			return nil, fmt.Errorf("%s is read by this run; write to another file", name)
		case !cfg.overwrite:
			return nil, fmt.Errorf("%s: %w; give parquet.Overwrite() if what is in it is not needed, or another path", name, fs.ErrExist)
		}
	}
	return o, nil
}

// file returns the name of the file, or of one with a number.
func (o *folder) file(number int) string {
	if !o.numbered {
		return o.path
	}
	return filepath.Join(filepath.Dir(o.path), o.names.name(number))
}

// part is the name of a file that is not complete.
func (o *folder) part() string { return o.path + ".part" }

// there lists the files that are there under the names that this sink gives.
func (o *folder) there() (names []string, err error) {
	if !o.numbered {
		if _, err := os.Lstat(o.path); err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				err = nil
			}
			return nil, err
		}
		return []string{o.path}, nil
	}
	entries, err := os.ReadDir(filepath.Dir(o.path))
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if number := o.names.number(e.Name()); number > 0 {
			names = append(names, o.file(number))
		}
	}
	return names, nil
}

// goOn checks that the files of the job are there, and removes those that were written after its
// last save: their rows are read again.
func (o *folder) goOn(before *saved) error {
	o.done, o.last, o.cleared = before.Files, before.Size, true
	if o.done > 0 {
		name := o.file(o.done)
		info, err := os.Stat(name)
		if err == nil && info.Size() != o.last {
			err = fmt.Errorf("it has %d bytes, and had %d", info.Size(), o.last)
		}
		if err != nil {
			return fmt.Errorf("%w: %s is not the file that the job has written: %w; "+
				"bring that one back, or begin anew with another job name (and another checkpoint.File)", rxcql.ErrCheckpointForeign, name, err)
		}
	}
	return o.remove(o.done)
}

// remove removes numbered files, those behind a number.
func (o *folder) remove(behind int) error {
	there, err := o.there()
	if err != nil {
		return err
	}
	removed := false
	for _, name := range there {
		if o.names.number(filepath.Base(name)) > behind {
			if err := os.Remove(name); err != nil {
				return err
			}
			removed = true
		}
	}
	if removed {
		return filesys.SyncFolder(filepath.Dir(o.path))
	}
	return nil
}

// clear removes numbered files that are to be overwritten, once.
func (o *folder) clear() error {
	if o.cleared {
		return nil
	}
	o.cleared = true
	if o.numbered && o.overwrite {
		return o.remove(0)
	}
	return nil
}
