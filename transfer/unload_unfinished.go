package transfer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rxcql/rxcql/internal/filesys"
	"github.com/rxcql/rxcql/internal/numbered"
)

// mark is a file next to numbered files which says that not all rows are in them. Each of these is
// complete in itself, so without the mark they would look like the whole table when an unload was
// stopped, or was killed between two of them. Its name ends as that of a file that is not complete:
// a load of the folder, or of the pattern, refuses it.
type mark struct {
	path string // empty: the files have no numbers
	made bool   // by this run
}

// mark makes it, or finds that of the run before.
func (j *UnloadJob) mark() (m mark, err error) {
	if j.out.Parallel == 0 {
		return m, nil
	}
	folder, base := filepath.Split(j.out.Path)
	at := verb.FindStringIndex(base)
	if at == nil {
		return m, nil // the sink says so
	}
	suffix := base[at[1]:]
	if compressesInside(j.format) {
		suffix = plain(suffix)
	}
	m.path = filepath.Join(folder, base[:at[0]]+numbered.Missing+suffix+numbered.Unfinished)
	f, err := os.OpenFile(m.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	switch {
	case errors.Is(err, fs.ErrExist):
		return m, nil
	case errors.Is(err, fs.ErrNotExist): // there is no folder: the sink says so
		return mark{}, nil
	case err != nil:
		return m, err
	}
	m.made = true
	_, err = fmt.Fprintf(f, "The unload of %s has not come to its end: rows are missing in the files next to this one.\n", j.from)
	return m, errors.Join(err, f.Close(), filesys.SyncFolder(filepath.Dir(m.path)))
}

// end removes it if all rows are in the files, or if this run has made it and has written none:
// then what is there is as it was before.
func (m mark) end(complete bool, written int64) error {
	if m.path == "" || !complete && (!m.made || written > 0) {
		return nil
	}
	if err := os.Remove(m.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return filesys.SyncFolder(filepath.Dir(m.path))
}

// errUnfinished refuses a file that is not complete, or the files that a mark stands next to.
func errUnfinished(path string) error {
	if strings.Contains(filepath.Base(path), numbered.Missing) {
		return fmt.Errorf("%s says that rows are missing in the files next to it: the unload that wrote them has ended early, or could not read all; "+
			"let it go on, or remove that file to load what is there", path)
	}
	return fmt.Errorf("%s is not complete: the unload that wrote it has ended early; let it go on, or remove that file", path)
}
