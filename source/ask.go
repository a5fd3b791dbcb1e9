package source

import (
	"context"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// describe, find, load and ringOf ask the server what checks need to know.
func describe(ctx context.Context, s *driver.Session, cql string) (*driver.Description, error) {
	return ask(ctx, func() (*driver.Description, error) { return s.Describe(ctx, cql) })
}

func find(ctx context.Context, s *driver.Session, keyspace, table string) (*schema.Table, error) {
	return ask(ctx, func() (*schema.Table, error) { return schema.Find(ctx, s, keyspace, table) })
}

func load(ctx context.Context, s *driver.Session, keyspace, table string) (*schema.Table, error) {
	return ask(ctx, func() (*schema.Table, error) { return schema.Load(ctx, s, keyspace, table) })
}

func ringOf(ctx context.Context, s *driver.Session) (driver.Ring, error) {
	return ask(ctx, func() (driver.Ring, error) { return s.Ring(ctx) })
}

// fetchOf returns what hooks are told of all requests for pages of a table.
func fetchOf(s *driver.Session, cfg readConfig, table *schema.Table) rxcql.FetchEvent {
	return rxcql.FetchEvent{Keyspace: table.Keyspace, Table: table.Name, Consistency: s.Consistency(cfg.consistency)}
}

// ask asks the server, and again while a failure may pass.
func ask[A any](ctx context.Context, question func() (A, error)) (answer A, err error) {
	err = rxcql.Retry(ctx, driver.MayPass, func() error {
		answer, err = question()
		return err
	})
	return answer, err
}
