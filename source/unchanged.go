package source

import (
	"context"
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// unchanged checks, after pages have been read, that the table is still the one that was there
// before the first page.
func unchanged(ctx context.Context, s *driver.Session, before *schema.Table) error {
	err := retried(ctx)(func() error { return schema.Unchanged(ctx, s, before) })
	if driver.Classify(err) == driver.SchemaChanged {
		err = fmt.Errorf("%w: %w", rxcql.ErrSchema, err)
	}
	return err
}
