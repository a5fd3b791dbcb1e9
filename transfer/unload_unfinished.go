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
	files   numberedFiles
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
	m.files = numberedFiles{filepath.Clean(folder), base[:at[0]], suffix}
	if compressesInside(j.format) {
		suffix = plain(suffix)
	}
	if m.before, err = m.files.list(); errors.Is(err, fs.ErrNotExist) { // the sink says so
		return m, nil
	} else if err != nil {
		return m, err
	}
	m.path = filepath.Join(m.files.folder, m.files.prefix+numbered.Missing+suffix+numbered.Unfinished)
	f, err := os.OpenFile(m.path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	switch {
	case errors.Is(err, fs.ErrExist):
		return m, nil
	case err != nil:
		return m, err
	}
	m.made = true
	_, err = fmt.Fprintf(f, "The unload of %s has not come to its end: rows are missing in the files next to this one.\n", j.from)
	if err = errors.Join(err, f.Close(), filesys.SyncFolder(m.files.folder)); err != nil {
		return m, errors.Join(err, m.end(false))
	}
	return m, nil
}

// end removes it if all rows are in the files, or if this run has made it and the files are as they
// were before: an unload that has removed some of them and has written none leaves it.
func (m mark) end(complete bool) error {
	if m.path == "" || !complete && (!m.made || m.changed) {
		return nil
	}
	if !complete {
		now, err := m.files.list()
		if err != nil || !slices.Equal(m.before, now) {
			return err
		}
	}
	if err := os.Remove(m.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return filesys.SyncFolder(m.files.folder)
}

// numberedFiles are the files next to a mark, complete or not.
type numberedFiles struct{ folder, prefix, suffix string }

// list returns their names, sizes and times of change.
func (n numberedFiles) list() (all []string, err error) {
	entries, err := os.ReadDir(n.folder)
	for _, e := range entries {
		rest, is := strings.CutPrefix(e.Name(), n.prefix)
		if end := strings.TrimLeft(rest, "0123456789"); !is || end == rest || strings.TrimSuffix(end, numbered.Unfinished) != n.suffix {
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
