package transfer

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/operators"
)

// notLoaded begins the name of a column that is not written. No column of a table is named so.
const notLoaded = "\x00"

// rowsOfFiles makes the rows of files the rows of the table. Rows of one file may have different
// columns, as lines of JSON do, so it looks at the columns of each row.
type rowsOfFiles struct {
	columns *loadColumns
	about   *schema.Table
	renames map[string]string // those of Into
	lines   bool              // each record names its own columns: one that lacks some is to blame itself

	sawTTL atomic.Bool
	last   atomic.Pointer[madeColumns] // of the row before, in any goroutine: most rows have the same
	mu     sync.Mutex
	made   map[*rxcql.Columns]*madeColumns
}

// madeColumns are what columns of the files become.
type madeColumns struct {
	of      *rxcql.Columns // those of the files
	columns *rxcql.Columns
	from    []int // the place of each in the files' row
	wrong   error
	checks  rowChecks
}

// mostMade is how many different columns are kept. Few files have more; then they are made anew.
const mostMade = 1024

// apply gives rows the names of the table's columns, and leaves out those that are not loaded.
// Those that say something of the row get names that no table has. A record of JSON that lacks a
// column of the primary key is a row that failed.
func (f *rowsOfFiles) apply(in rxcql.Stream[rxcql.Row]) rxcql.Stream[rxcql.Row] {
	if !f.columns.renamed && !f.lines && !f.columns.times {
		return in
	}
	return operators.Map(in, func(r rxcql.Row) (rxcql.Row, error) {
		to := f.of(r.Columns())
		if err := to.refuse(r); err != nil {
			return rxcql.Row{}, err
		}
		if to.checks.ttl >= 0 && !f.sawTTL.Load() {
			f.sawTTL.Store(true)
		}
		if to.columns == r.Columns() {
			return r, nil
		}
		cells := make([][]byte, len(to.from))
		for i, from := range to.from {
			cells[i] = r.Bytes(from)
		}
		return rxcql.NewRow(to.columns, cells), nil
	})
}

// of finds what columns become, or makes it.
func (f *rowsOfFiles) of(columns *rxcql.Columns) *madeColumns {
	if last := f.last.Load(); last != nil && last.of == columns {
		return last
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	to, known := f.made[columns]
	if !known {
		to = f.make(columns)
		if f.made == nil || len(f.made) >= mostMade {
			f.made = map[*rxcql.Columns]*madeColumns{}
		}
		f.made[columns] = to
	}
	f.last.Store(to)
	return to
}

func (f *rowsOfFiles) make(columns *rxcql.Columns) *madeColumns {
	to := &madeColumns{of: columns, columns: columns}
	if f.columns.renamed {
		var list []rxcql.Column
		for i, c := range columns.List() {
			name := f.columns.names[c.Name]
			switch {
			case name != "":
				c.Name = name
			case f.columns.aboutRow(c.Name):
				c.Name = notLoaded + c.Name
			default:
				continue // nobody looks at it
			}
			list, to.from = append(list, c), append(to.from, i)
		}
		to.columns = rxcql.NewColumns(list)
	}
	to.checks = f.checksOf(columns)
	switch {
	case f.lines:
		to.wrong = errors.Join(f.complete(to.columns), f.timed(columns))
	case f.columns.renamed:
		to.wrong = errors.Join(f.named(columns), f.timed(columns))
	default:
		to.wrong = f.timed(columns)
	}
	return to
}

// named returns an error if a file lacks columns that options name: rows would never expire, or a
// column would be missing in all of them.
func (f *rowsOfFiles) named(columns *rxcql.Columns) error {
	var errs []error
	missing := func(name, option string) {
		if !slices.ContainsFunc(columns.List(), func(c rxcql.Column) bool { return c.Name == name }) {
			errs = append(errs, fmt.Errorf("%w: the file has no column %q, which %s names", rxcql.ErrSchema, name, option))
		}
	}
	if f.columns.ttl != "" {
		missing(f.columns.ttl, "TTLColumn")
	}
	if f.columns.stamp != "" {
		missing(f.columns.stamp, "TimestampColumn")
	}
	for _, name := range slices.Sorted(maps.Keys(f.renames)) {
		missing(name, "Into")
	}
	return errors.Join(errs...)
}

// complete returns an error if rows lack columns of the primary key. The static columns of a
// partition need its key alone.
func (f *rowsOfFiles) complete(columns *rxcql.Columns) error {
	has := map[string]bool{}
	for _, c := range columns.List() {
		has[c.Name] = true
	}
	rows, statics := false, false
	for _, c := range f.about.Columns {
		rows = rows || has[c.Name] && (c.Kind == schema.Clustering || c.Kind == schema.Regular)
		statics = statics || has[c.Name] && c.Kind == schema.Static
	}
	var errs []error
	for _, c := range f.about.Columns {
		if !has[c.Name] && (c.Kind == schema.PartitionKey || c.Kind == schema.Clustering && (rows || !statics)) {
			errs = append(errs, fmt.Errorf("the record has no column %q, which is of the primary key", c.Name))
		}
	}
	return errors.Join(errs...)
}
