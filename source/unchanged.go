package source

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// unchanged checks, after pages have been read, that the table is still the one that was there
// before the first page. The driver silently prepares a statement anew when it must, so a table
// that was dropped and made again would be read as if it were the old one.
func unchanged(ctx context.Context, s *driver.Session, before *schema.Table) error {
	if before.Virtual {
		return nil
	}
	now, err := find(ctx, s, before.Keyspace, before.Name)
	return changed(before, now, err)
}

// changed compares a table with what was found under its name.
func changed(before, now *schema.Table, err error) error {
	switch {
	case errors.Is(err, schema.ErrUnknownTable), errors.Is(err, schema.ErrUnknownKeyspace):
		return fmt.Errorf("%w: table %s was dropped while it was read", rxcql.ErrSchema, before.Quoted())
	case err != nil:
		return err
	case now.ID != before.ID:
		return fmt.Errorf("%w: table %s was dropped and made again while it was read", rxcql.ErrSchema, before.Quoted())
	}
	return nil
}
