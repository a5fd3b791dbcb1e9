package sink

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// execAim is a statement of Exec as a run sends it. Its values are encoded for what the server says
// of the statement when the run begins, and for the tables that exist then.
type execAim struct {
	about    *driver.Description
	tables   *schema.Pinned
	encoding *driver.Encoding
}

// aim asks the server about the statement and its tables.
func (e *exec[T]) aim(ctx context.Context) (*execAim, error) {
	about, err := describe(ctx, e.session, e.cql)
	if err != nil {
		return nil, execRefused(err)
	}
	if err := takesUnset(ctx, e.session); err != nil {
		return nil, err
	}
	tables, err := e.tables(ctx, about)
	if err != nil {
		return nil, err
	}
	a := &execAim{about: about, tables: schema.Pin(e.session, tables...).Writing(func(column string) bool { return schema.MentionsColumn(e.cql, column) })}
	a.encoding = about.Encoding(a.tables.Same)
	return a, nil
}

// tables returns the tables that the statement is about. The server names only those that have a
// bind marker, so it is asked about each other name in the text.
func (e *exec[T]) tables(ctx context.Context, about *driver.Description) (tables []*schema.Table, err error) {
	names := about.Tables()
	for _, mentioned := range schema.Mentioned(e.cql) {
		of, err := describe(ctx, e.session, "SELECT * FROM "+mentioned)
		if err != nil {
			return nil, err
		}
		for _, name := range of.Tables() {
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	for _, name := range names {
		table, err := load(ctx, e.session, name[0], name[1])
		if err != nil {
			return nil, err
		}
		tables = append(tables, table)
	}
	return tables, nil
}

func execRefused(err error) error {
	if errors.Is(err, driver.ErrNotPreparable) {
		return fmt.Errorf("%w: %w", rxcql.ErrConfig, err)
	}
	if c := driver.Classify(err); c == driver.Syntax || c == driver.Invalid {
		return fmt.Errorf("%w: %w", rxcql.ErrSchema, err)
	}
	return err
}
