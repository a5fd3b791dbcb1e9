package source

import (
	"context"
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// unchanged checks, after pages have been read, that the table is still the one that was there
// before the first page, and that it has still had these columns all the time.
func unchanged(ctx context.Context, s *driver.Session, before *schema.Table, columns ...string) error {
	ask := retried(ctx)
	err := ask(func() error { return schema.Unchanged(ctx, s, before) })
	if err == nil && len(columns) > 0 {
		err = ask(func() error { return schema.ColumnsUnchanged(ctx, s, before, columns) })
	}
	if driver.Classify(err) == driver.SchemaChanged {
		err = fmt.Errorf("%w: %w", rxcql.ErrSchema, err)
	}
	return err
}
