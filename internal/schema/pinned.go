package schema

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rxcql/rxcql/internal/driver"
)

// Pinned are tables that must stay the ones that they were when they were looked at.
type Pinned struct {
	q      Reader
	tables []*Table
}

// Pin pins tables as they were loaded.
func Pin(q Reader, tables ...*Table) *Pinned { return &Pinned{q, tables} }

// ID names the very tables: another one made under the name of one of them has
// another ID.
func (p *Pinned) ID() string {
	ids := make([]string, len(p.tables))
	for i, t := range p.tables {
		ids[i] = t.ID
	}
	return strings.Join(ids, ", ")
}

// Same asks the server, one small read a table, whether they still are those: a
// driver.SchemaChangedError for one that was dropped, or made again, while something was
// written to it; other errors where that could not be found out.
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
	}
	return nil
}
