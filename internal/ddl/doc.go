// Package ddl writes the statements that make a table again, elsewhere or under another name: its
// types, the table with its options, and its indexes. It reads them from system_schema, as the
// server has them, and knows which options another server does not have.
package ddl

import (
	"context"
	"strings"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// each reads rows of a table that every node has for itself. A table or column that the server does
// not know has no rows.
func each(ctx context.Context, q schema.Reader, row func(cells [][]byte) error, cql string, args ...any) error {
	one := gocql.One
	err := q.Each(ctx, driver.Statement{CQL: cql, Args: args, Consistency: &one, Idempotent: true},
		func(_ string, cells [][]byte) error { return row(cells) })
	if driver.Classify(err) == driver.Invalid {
		return nil
	}
	return err
}

// literal writes a text constant.
func literal(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

func qualified(keyspace, name string) string {
	return schema.Quote(keyspace) + "." + schema.Quote(name)
}
