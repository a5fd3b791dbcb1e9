package operators

import (
	"context"
	"errors"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// lookupAim is a statement of Lookup as a run sends it. Its values are encoded for what the server
// says of the statement when the run begins, and for the table that exists then.
type lookupAim struct {
	*schema.Select
	cql      string // as the user wrote it
	text     string // as it is sent
	known    bool   // its answers need not say what their columns are
	encoding *driver.Encoding
}

// aimLookup asks the server about the statement, and compares it with V.
func aimLookup[V any](ctx context.Context, ses *driver.Session, cql string) (*lookupAim, error) {
	ask := func(question func() error) error { return rxcql.Retry(ctx, driver.MayPass, question) }
	found, err := schema.DescribeSelect(ctx, ses, "Lookup", cql, ask, func(about *driver.Description) error {
		errs := []error{about.Unbindable(), schema.Decodes[V](about.Results, isRow[V]())}
		if len(about.Params) == 0 {
			errs = append(errs, errors.New("the statement has no bind markers, so it would find the same for all rows; "+
				"read that before the run, or write ? for what is of the row"))
		}
		return errors.Join(errs...)
	})
	if err != nil {
		return nil, err
	}
	same := func(ctx context.Context) error {
		if err := schema.Unchanged(ctx, ses, found.Table); err != nil {
			return err
		}
		return schema.ColumnsUnchanged(ctx, ses, found.Table, func(column string) bool { return found.Reads(cql, column) })
	}
	return &lookupAim{
		Select: found, cql: cql, text: ses.Own(found.About.Text), known: found.About.KeepsColumns(cql),
		encoding: driver.NewEncoding(found.About.Types(), same),
	}, nil
}

// partition returns the partition key, where one value is all of it; else nil.
func (a *lookupAim) partition(values []driver.Value) []byte {
	if key := a.About.PartitionKey; len(key) == 1 && values[key[0]].State == driver.Set {
		return values[key[0]].Bytes
	}
	return nil
}
