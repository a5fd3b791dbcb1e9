package source

import (
	"context"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// load and ringOf ask the server what checks need to know.
func load(ctx context.Context, s *driver.Session, keyspace, table string) (about *schema.Table, err error) {
	err = retried(ctx)(func() error {
		about, err = schema.Load(ctx, s, keyspace, table)
		return err
	})
	return about, err
}

func ringOf(ctx context.Context, s *driver.Session) (now driver.Ring, err error) {
	err = retried(ctx)(func() error {
		now, err = s.Ring(ctx)
		return err
	})
	return now, err
}

// fetchOf returns what hooks are told of all requests for pages of a table.
func fetchOf(s *driver.Session, cfg readConfig, table *schema.Table) rxcql.FetchEvent {
	return rxcql.FetchEvent{Keyspace: table.Keyspace, Table: table.Name, Consistency: s.Consistency(cfg.consistency)}
}

// retried returns a function that asks the server, and again while a failure may pass.
func retried(ctx context.Context) func(question func() error) error {
	return func(question func() error) error { return rxcql.Retry(ctx, driver.MayPass, question) }
}
