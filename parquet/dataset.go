package parquet

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/parquetcell"
)

// dataset is the files of a source in one run.
type dataset struct {
	files   []*file
	columns []rxcql.Column // of all rows; those of undecoded rows are of their files
	rules   parquetcell.Rules
	facts   []rxcql.Fact
	rows    int64

	undecoded bool // rows have the columns of their files
}

// chooser finds the columns of rows in a file, with their CQL types. given are those of the option,
// nil if there is none.
type chooser func(root *pq.Column, given []rxcql.Column, rules parquetcell.Rules) ([]rxcql.Column, error)

func openDataset(ctx context.Context, path string, given []rxcql.Column, cfg readConfig, undecoded bool, choose chooser) (*dataset, error) {
	paths, err := list(path)
	if err != nil {
		return nil, err
	}
	d := &dataset{undecoded: undecoded, rules: parquetcell.Rules{Truncate: cfg.truncate, Loose: cfg.loose}}
	for _, p := range paths {
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		f := &file{path: p, name: filepath.Base(p), before: d.rows}
		if err := d.add(f, given, choose); err != nil {
			return nil, err
		}
	}
	d.facts = append(d.facts, typesFact(d.columns))
	return d, nil
}

// add reads the end of a file.
func (d *dataset) add(f *file, given []rxcql.Column, choose chooser) (err error) {
	if err := f.open(); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.close()) }()
	if err := readable(f.content); err != nil {
		return fmt.Errorf("%w: %s: %w", rxcql.ErrSchema, f.path, err)
	}
	columns := d.columns
	if columns == nil || d.undecoded {
		if columns, err = choose(f.content.Root(), given, d.rules); err != nil {
			return fmt.Errorf("%w: %s: %w", rxcql.ErrSchema, f.path, err)
		}
		d.keep(columns)
	}
	f.columns = rxcql.NewColumns(columns)
	if err := d.plan(f); err != nil {
		return err
	}
	for _, g := range f.content.RowGroups() {
		f.groups = append(f.groups, f.rows)
		f.rows += g.NumRows()
	}
	d.rows += f.rows
	d.files = append(d.files, f)
	d.facts = append(d.facts, rxcql.Fact{Name: "file " + f.name, Value: fmt.Sprintf("%d rows, %d bytes, %s", f.rows, f.size, f.sum)})
	return nil
}

// keep adds to the columns of all rows those that are not among them.
func (d *dataset) keep(columns []rxcql.Column) {
	for _, c := range columns {
		if typeGiven(d.columns, c.Name) == nil {
			d.columns = append(d.columns, c)
		}
	}
}

// readable refuses what the library reads wrongly: of a page that LZ4 has made less than a third of
// its size, parquet-go v0.32.0 gives other bytes than those of the page, without an error.
func readable(f *pq.File) error {
	for _, group := range f.Metadata().RowGroups {
		for _, c := range group.Columns {
			if c.MetaData.Codec == format.Lz4Raw {
				return errors.New("its pages are compressed with LZ4, which cannot be read: write it with snappy or zstd")
			}
		}
	}
	return nil
}

// plan makes the plan by which the columns are read, of a file that is open.
func (d *dataset) plan(f *file) (err error) {
	root, columns := f.content.Root(), f.columns.List()
	err = unknown(root, columns, d.rules)
	if err == nil {
		f.plan, err = parquetcell.NewPlan(root, columns, d.rules)
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w", rxcql.ErrSchema, f.path, err)
	}
	return nil
}

// unknown returns an error if the file has columns that the rows do not have.
func unknown(root *pq.Column, columns []rxcql.Column, rules parquetcell.Rules) error {
	if rules.Loose {
		return nil
	}
	var errs []error
	for _, c := range root.Columns() {
		if !slices.ContainsFunc(columns, func(of rxcql.Column) bool { return of.Name == c.Name() }) {
			errs = append(errs, fmt.Errorf("the file has a column %q, and the rows have none: add it to them, or give IgnoreUnknown", c.Name()))
		}
	}
	return errors.Join(errs...)
}

// list finds the files that a path stands for.
func list(path string) ([]string, error) {
	info, err := os.Stat(path)
	switch {
	case err == nil && !info.IsDir():
		return []string{path}, nil
	case err == nil:
		return inFolder(path)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	found, badPattern := filepath.Glob(path)
	if badPattern != nil || len(found) == 0 {
		return nil, err // the file does not exist
	}
	slices.Sort(found)
	return found, distinct(found)
}

func inFolder(path string) (found []string, err error) {
	entries, err := os.ReadDir(path) // sorted by name
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		name := e.Name()
		if !e.IsDir() && strings.HasSuffix(name, ".parquet") && name[0] != '.' && name[0] != '_' {
			found = append(found, filepath.Join(path, name))
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s: the folder has no file whose name ends with .parquet", path)
	}
	return found, nil
}

// distinct refuses files of one name, since a job recognizes them by it.
func distinct(paths []string) error {
	seen := map[string]string{}
	for _, p := range paths {
		base := filepath.Base(p)
		if other := seen[base]; other != "" {
			return fmt.Errorf("%s and %s have the same name: rename one of them, or read them one by one", other, p)
		}
		seen[base] = p
	}
	return nil
}
