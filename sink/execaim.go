package sink

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// execAim is a statement of Exec as a run sends it: its values are encoded for what the
// server says of it when the run begins, and for the tables that there are then.
type execAim struct {
	cql      string // as it is sent
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
	var tables []*schema.Table
	for _, name := range about.Tables() {
		table, err := load(ctx, e.session, name[0], name[1])
		if err != nil {
			return nil, err
		}
		tables = append(tables, table)
	}
	a := &execAim{tables: schema.Pin(e.session, tables...)}
	a.cql = driver.Label(e.cql, a.tables.ID(), about.Types())
	if a.about, err = describe(ctx, e.session, a.cql); err != nil {
		return nil, execRefused(err)
	}
	a.encoding = a.about.Encoding(a.tables.Same)
	return a, nil
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
