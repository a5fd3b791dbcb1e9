package sink

import (
	"context"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// sameness asks the server whether tables are still the same; nil if there is no server.
type sameness func(context.Context) error

// aim is what the values of a statement were encoded for: the table, which must not be made again,
// and the types of the bind markers. Requests are compared with it before they are sent.
type aim struct {
	encoding *driver.Encoding
	table    string // its id
	types    []*codec.Type
}

var (
	timestampType = &codec.Type{Kind: codec.Bigint}
	ttlType       = &codec.Type{Kind: codec.Int}
)

func newAim(table *schema.Table, same sameness, types []*codec.Type) *aim {
	return &aim{encoding: driver.NewEncoding(types, same), table: table.ID, types: types}
}

// text returns a statement as it is sent.
func (a *aim) text(cql string) string {
	if a == nil {
		return cql
	}
	return driver.Label(cql, a.table, a.types)
}

func typesOf(set []assignment) (types []*codec.Type) {
	for _, a := range set {
		types = append(types, a.types...)
	}
	return types
}

// takesUnset refuses a session whose protocol has no unset values.
func takesUnset(ctx context.Context, s *driver.Session) error {
	return rxcql.Retry(ctx, driver.MayPass, func() error { return s.TakesUnset(ctx) })
}

// unchanged checks, when everything is written, that it was written to the tables that exist now.
// It asks again after a failure that may pass.
func unchanged(ctx context.Context, same sameness) error {
	if same == nil {
		return nil
	}
	return rxcql.Retry(ctx, driver.MayPass, func() error { return same(ctx) })
}
