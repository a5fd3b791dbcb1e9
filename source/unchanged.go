package source

import (
	"context"
	"fmt"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// unchanged checks, after pages have been read, that the table is still the one that was there
// before the first page, and that it has still had the columns that are read all the time.
func unchanged(ctx context.Context, s *driver.Session, before *schema.Table, reads func(column string) bool) error {
	ask := retried(ctx)
	err := ask(func() error { return schema.Unchanged(ctx, s, before) })
	if err == nil {
		err = ask(func() error { return schema.ColumnsUnchanged(ctx, s, before, reads) })
	}
	if driver.Classify(err) == driver.SchemaChanged {
		err = fmt.Errorf("%w: %w", rxcql.ErrSchema, err)
	}
	return err
}

// among reports of a column whether it is one of these.
func among(columns []string) func(column string) bool {
	return func(column string) bool { return slices.Contains(columns, column) }
}
