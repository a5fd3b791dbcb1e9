package transfer

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rxcql/rxcql/internal/filesys"
	"github.com/rxcql/rxcql/internal/numbered"
)

// mark is a file next to numbered files which says that not all rows are in them. Each of these is
// complete in itself, so without the mark they would look like the whole table when an unload was
// stopped, or was killed between two of them. Its name ends as that of a file that is not complete:
// a load of the folder, or of the pattern, refuses it.
type mark struct {
	path    string // empty: the files have no numbers
	made    bool   // by this run
	changed bool   // this run has removed files of earlier ones
	before  []string
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
	if m.before, err = listed(folder, base[:at[0]]); errors.Is(err, fs.ErrNotExist) { // the sink says so
		return m, nil
	} else if err != nil {
		return m, err
	}
	m.path = filepath.Join(folder, base[:at[0]]+numbered.Missing+suffix+numbered.Unfinished)
	f, err := os.OpenFile(m.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	switch {
	case errors.Is(err, fs.ErrExist):
		return m, nil
	case err != nil:
		return m, err
	}
	m.made = true
	_, err = fmt.Fprintf(f, "The unload of %s has not come to its end: rows are missing in the files next to this one.\n", j.from)
	return m, errors.Join(err, f.Close(), filesys.SyncFolder(filepath.Dir(m.path)))
}

// end removes it if all rows are in the files, or if this run has made it and the files are as they
// were before: an unload that has removed some of them and has written none leaves it.
func (m mark) end(complete bool) error {
	if m.path == "" || !complete && (!m.made || m.changed) {
		return nil
	}
	if name := filepath.Base(m.path); !complete {
		prefix, _, _ := strings.Cut(name, numbered.Missing)
		now, err := listed(filepath.Dir(m.path), prefix)
		now = slices.DeleteFunc(now, func(file string) bool { return strings.HasPrefix(file, name+" ") })
		if err != nil || !slices.Equal(m.before, now) {
			return err
		}
	}
	if err := os.Remove(m.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return filesys.SyncFolder(filepath.Dir(m.path))
}

// listed says which files of a prefix are in a folder: names, sizes and times of change.
func listed(folder, prefix string) (all []string, err error) {
	entries, err := os.ReadDir(filepath.Clean(folder))
	for _, e := range entries {
		if !strings.HasPrefix(e.Name(), prefix) {
			continue
		}
		about, err := e.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return nil, err
		}
		all = append(all, fmt.Sprint(e.Name(), " ", about.Size(), " ", about.ModTime().UnixNano()))
	}
	return all, err
}

// errUnfinished refuses a file that is not complete, or the files that a mark stands next to.
func errUnfinished(path string) error {
	if strings.Contains(filepath.Base(path), numbered.Missing) {
		return fmt.Errorf("%s says that rows are missing in the files next to it: the unload that wrote them has ended early, or could not read all; "+
			"let it go on, or remove that file to load what is there", path)
	}
	return fmt.Errorf("%s is not complete: the unload that wrote it has ended early; let it go on, or remove that file", path)
}
