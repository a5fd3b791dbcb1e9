package transfer

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/schema"
)

// loadColumns says what the columns of the files become.
type loadColumns struct {
	inFiles []rxcql.Column    // those that files may have
	names   map[string]string // a column of the files to its name in the table; "" for one that is not loaded
	renamed bool              // at least one has another name, or is not loaded
	// Columns of the files that have the time to live and the write time of each row, "" for none.
	ttl, stamp string
	times      bool // values have theirs
	ignore     bool // other columns are left out
}

var bigintType, textType = &rxcql.ColumnType{Kind: codec.Bigint}, &rxcql.ColumnType{Kind: codec.Text}

// columnsOf compares the options with the table.
func (c *loadConfig) columnsOf(about *schema.Table) (*loadColumns, error) {
	m := &loadColumns{names: map[string]string{}, ttl: c.ttl, stamp: c.stamp, times: c.times, ignore: c.ignore}
	var errs []error
	taken := map[string]string{} // by the name in the table
	for from, to := range c.renames {
		if _, known := about.Column(to); !known {
			errs = append(errs, fmt.Errorf("Into: the table has no column %q%s", to, schema.Meant(to, about.ColumnNames())))
		}
		if other, twice := taken[to]; twice {
			errs = append(errs, fmt.Errorf("Into: both %q and %q would become column %q", other, from, to))
		}
		taken[to] = from
	}
	add := func(inFiles, inTable string, typ *rxcql.ColumnType) {
		m.inFiles = append(m.inFiles, rxcql.Column{Name: inFiles, Type: typ})
		m.names[inFiles] = inTable
		m.renamed = m.renamed || inFiles != inTable
	}
	type timedName struct{ inFiles, inTable string }
	var timed []timedName
	for _, col := range columnsFor(c.format, about) {
		name := col.Name
		if from, renamed := taken[name]; renamed {
			name = from
		} else if _, other := c.renames[name]; other {
			continue // the file's column of this name is another one
		}
		if name == c.ttl || name == c.stamp {
			errs = append(errs, fmt.Errorf("column %q cannot be both a value and the time of its row", name))
			continue
		}
		add(name, col.Name, col.Type)
		if c.times && !isKey(col) {
			if hasElements(col) {
				errs = append(errs, fmt.Errorf("WithTimes: column %q: the times of elements cannot be read from files: "+
					"leave WithTimes out, or copy the table", col.Name))
			}
			timed = append(timed, timedName{name, col.Name})
		}
	}
	for _, of := range timed { // behind all others, as Unload writes them
		add("writetime("+of.inFiles+")", "writetime("+of.inTable+")", bigintType)
		add("expires("+of.inFiles+")", "expires("+of.inTable+")", bigintType)
	}
	for _, name := range []string{c.ttl, c.stamp} {
		if name != "" {
			add(name, "", bigintType)
		}
	}
	if c.fileColumns != nil {
		errs = append(errs, m.order(c.fileColumns, c.ignore, about))
	}
	return m, errors.Join(errs...)
}

// order leaves the columns that files without a header have, in their order.
func (m *loadColumns) order(names []string, ignore bool, about *schema.Table) error {
	var errs []error
	var list []rxcql.Column
	for i, name := range names {
		at := slices.IndexFunc(m.inFiles, func(c rxcql.Column) bool { return c.Name == name })
		switch {
		case slices.Contains(names[:i], name):
			errs = append(errs, fmt.Errorf("FileColumns: %q is named twice", name))
		case at >= 0:
			list = append(list, m.inFiles[at])
		case ignore:
			list = append(list, rxcql.Column{Name: name, Type: textType})
			m.names[name], m.renamed = "", true
		default:
			errs = append(errs, fmt.Errorf("FileColumns: the table has no column %q%s; give IgnoreColumns to leave it out, or Into",
				name, schema.Meant(name, about.ColumnNames())))
		}
	}
	m.inFiles = list
	return errors.Join(errs...)
}

// aboutRow reports whether a column of the files says how rows are written, and is no value.
func (m *loadColumns) aboutRow(name string) bool {
	return name != "" && (name == m.ttl || name == m.stamp)
}

// leftOut returns the names that such columns have in rows.
func (m *loadColumns) leftOut() (names []string) {
	for _, name := range []string{m.ttl, m.stamp} {
		if name != "" {
			names = append(names, notLoaded+name)
		}
	}
	return names
}

// number reads a bigint that is not loaded; 0 if it is null.
func number(r rxcql.Row, name string) int64 {
	cell, _ := r.Lookup(notLoaded + name)
	return int64Of(cell)
}

// ttlOf reads the time to live of rows. One that no duration can hold is one that the sink refuses.
func (m *loadColumns) ttlOf() func(rxcql.Row) time.Duration {
	return func(r rxcql.Row) time.Duration {
		seconds := number(r, m.ttl)
		if seconds < 0 || seconds > int64(math.MaxInt64/time.Second) {
			return -1
		}
		return time.Duration(seconds) * time.Second
	}
}

func (m *loadColumns) stampOf() func(rxcql.Row) int64 {
	return func(r rxcql.Row) int64 { return number(r, m.stamp) }
}
