package verbs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/fleet"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/kept"
	"github.com/rxcql/rxcql/internal/filesys"
	"github.com/rxcql/rxcql/internal/numbered"
)

// tablesMissing is a file in the folder of an unload of several tables. It names those of which not
// all rows are in their folders, a line each. Without it the tables that are there would look like
// all of them, when an unload was stopped before the others: a load refuses the folder.
type tablesMissing struct {
	path   string
	before map[string][]kept.File // the files of tables that this run has named, as they were
}

// unfinishedIn is that file. Each share has its own.
func (r *run) unfinishedIn(folder string) *tablesMissing {
	name := numbered.Missing
	if of := r.settings.of; of > 0 {
		name += fmt.Sprintf("-%dof%d", r.settings.shard, of)
	}
	return &tablesMissing{path: filepath.Join(folder, name+numbered.Unfinished)}
}

// isUnfinished reports whether a name is that of such a file.
func isUnfinished(name string) bool {
	return strings.HasPrefix(name, numbered.Missing) && strings.HasSuffix(name, numbered.Unfinished)
}

// begin names the tables of a run, and keeps those that an earlier one has left there. filesOf
// finds the files of a table.
func (u *tablesMissing) begin(tables []string, filesOf func(table string) []string) error {
	if err := os.MkdirAll(filepath.Dir(u.path), 0o755); err != nil {
		return err
	}
	there, err := u.read()
	if err != nil {
		return err
	}
	u.before = map[string][]kept.File{}
	for _, table := range tables {
		if !slices.Contains(there, table) {
			u.before[table] = kept.Look(filesOf(table))
			there = append(there, table)
		}
	}
	return u.write(there)
}

// end takes out the tables that are complete, and those of which this run has changed nothing. The
// file goes with the last of them.
func (u *tablesMissing) end(outcomes []fleet.Outcome, filesOf func(table string) []string) error {
	left, err := u.read()
	if err != nil {
		return err
	}
	for _, o := range outcomes {
		over := o.Status == fleet.Done || o.Status == fleet.Left // what could not be read has a mark in the table's folder
		if was, named := u.before[o.Table]; named && !over && len(was) > 0 {
			over = slices.Equal(was, kept.Look(filesOf(o.Table)))
		}
		if over {
			left = slices.DeleteFunc(left, func(table string) bool { return table == o.Table })
		}
	}
	if len(left) > 0 {
		return u.write(left)
	}
	if err := os.Remove(u.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return filesys.SyncFolder(filepath.Dir(u.path))
}

func (u *tablesMissing) read() (tables []string, err error) {
	text, err := os.ReadFile(u.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return slices.DeleteFunc(strings.Split(string(text), "\n"), func(line string) bool { return line == "" }), err
}

// write replaces the file at once, so that none of a crash is empty.
func (u *tablesMissing) write(tables []string) error {
	f, err := os.Create(u.path + ".new")
	if err != nil {
		return err
	}
	_, err = f.WriteString(strings.Join(tables, "\n") + "\n")
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := os.Rename(f.Name(), u.path); err != nil {
		return err
	}
	return filesys.SyncFolder(filepath.Dir(u.path))
}

// errTablesMissing refuses a folder with such files.
func errTablesMissing(folder string, names []string) error {
	var tables []string
	for _, name := range names {
		u := &tablesMissing{path: filepath.Join(folder, name)}
		found, err := u.read()
		if err != nil {
			return err
		}
		tables = append(tables, found...)
	}
	slices.Sort(tables)
	return fmt.Errorf("%s says that an unload has ended early, and that rows are missing, or all, of %s: let it go on, load tables one by one, "+
		"or remove that file to load what is there", filepath.Join(folder, names[0]), strings.Join(slices.Compact(tables), ", "))
}
