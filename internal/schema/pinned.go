package schema

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rxcql/rxcql/internal/driver"
)

// Pinned are tables that must stay the ones that they were when they were looked at.
type Pinned struct {
	q      Reader
	tables []*Table
	writes func(column string) bool
}

// Pin pins tables as they were loaded.
func Pin(q Reader, tables ...*Table) *Pinned {
	return &Pinned{q, tables, func(string) bool { return false }}
}

// Writing says of which columns values are written. It is asked about columns that are no longer
// there. If nobody said so, none is.
func (p *Pinned) Writing(column func(name string) bool) *Pinned {
	p.writes = column
	return p
}

// ID names the very tables: another one made under the name of one of them has
// another ID.
func (p *Pinned) ID() string {
	ids := make([]string, len(p.tables))
	for i, t := range p.tables {
		ids[i] = t.ID
	}
	return strings.Join(ids, ", ")
}

// Same asks the server, two small reads a table, whether they still are those: a
// driver.SchemaChangedError for one that was dropped, or made again, while something was
// written to it, or of which a column was dropped that is written, or made again; other errors
// where that could not be found out. A column that was dropped hides what was written into it
// up to then, by its timestamp: what a run writes later may be hidden too.
func (p *Pinned) Same(ctx context.Context) error {
	for _, t := range p.tables {
		now, err := Find(ctx, p.q, t.Keyspace, t.Name)
		switch {
		case errors.Is(err, ErrUnknownTable), errors.Is(err, ErrUnknownKeyspace):
			return &driver.SchemaChangedError{What: fmt.Sprintf("table %s was dropped while it was written", t.Quoted())}
		case err != nil:
			return err
		case now.ID != t.ID:
			return &driver.SchemaChangedError{What: fmt.Sprintf(
				"table %s was dropped and made again while it was written: rows written before are gone", t.Quoted())}
		}
		err = droppedSince(ctx, p.q, t, func(column string, again bool) error {
			switch had := slices.ContainsFunc(t.Columns, func(c Column) bool { return c.Name == column }); {
			case !had: // it came meanwhile, and nobody has written it
			case again:
				return &driver.SchemaChangedError{What: fmt.Sprintf("column %q of table %s was dropped and made again while it was written: "+
					"values written before are gone", column, t.Quoted())}
			case p.writes(column):
				return &driver.SchemaChangedError{What: fmt.Sprintf("column %q of table %s was dropped while it was written: "+
					"its values are gone", column, t.Quoted())}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// ColumnsUnchanged is Unchanged for columns that are read. Of one that was dropped, and perhaps
// made again, values came as null.
func ColumnsUnchanged(ctx context.Context, q Reader, before *Table, reads func(column string) bool) error {
	return droppedSince(ctx, q, before, func(column string, _ bool) error {
		if !reads(column) {
			return nil
		}
		return &driver.SchemaChangedError{What: fmt.Sprintf("column %q of table %s was dropped while it was read: "+
			"some of its values came as null", column, before.Quoted())}
	})
}

// droppedSince calls fn with each column of a table that was dropped since the table was loaded,
// and whether it was made again. The server refuses statements that name a column which is not
// there, but not always: a statement that Cassandra prepares in the moment of the ALTER TABLE stays
// in its cache as it was, reads null and writes what nobody can read, without an error.
func droppedSince(ctx context.Context, q Reader, t *Table, fn func(column string, again bool) error) error {
	l := &loader{q: q, keyspace: t.Keyspace}
	dropped, err := l.dropped(ctx, t)
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(dropped)) {
		if dropped[name] == t.Dropped[name] {
			continue
		}
		again, err := l.has(ctx, t, name)
		if err == nil {
			err = fn(name, again)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
