package sink

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// load reads the schema of the table to write.
func load(ctx context.Context, q schema.Reader, keyspace, name string) (*schema.Table, error) {
	var table *schema.Table
	err := rxcql.Retry(ctx, driver.MayPass, func() (err error) {
		table, err = schema.Load(ctx, q, keyspace, name)
		return err
	})
	if errors.Is(err, schema.ErrUnknownTable) || errors.Is(err, schema.ErrUnknownKeyspace) {
		err = fmt.Errorf("%w: %w", rxcql.ErrSchema, err)
	}
	return table, err
}

// mismatch returns the error for what is wrong between rows and a table; nil if there is nothing.
func mismatch(table *schema.Table, errs ...error) error {
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%w: table %s: %w", rxcql.ErrSchema, table.Quoted(), err)
	}
	return nil
}

// writable returns an error if this sink cannot write the table.
func writable(table *schema.Table) error {
	switch {
	case table.View:
		return fmt.Errorf("it is a materialized view: write to its base table %s", schema.Quote(table.BaseTable))
	case table.Virtual:
		return errors.New("it is a virtual table, which holds no rows: use sink.Exec where it takes changes")
	case table.Counter:
		return errors.New("it is a counter table: use sink.Exec with UPDATE … SET c = c + ?, " +
			"and mind that an update repeated counts twice")
	}
	return nil
}

// choose returns the columns to write for the columns that rows have, in the table's order. All of
// the primary key must be among them.
func choose(table *schema.Table, names []string, o planOptions) ([]schema.Column, error) {
	var errs []error
	for _, name := range names {
		if _, known := table.Column(name); !known {
			errs = append(errs, fmt.Errorf("it has no column %q%s", name, near(name, table.ColumnNames())))
		}
	}
	var columns []schema.Column
	rows, statics := false, false
	for _, c := range table.Columns {
		switch {
		case o.delete && c.Kind != schema.PartitionKey && c.Kind != schema.Clustering:
		case slices.Contains(names, c.Name):
			columns = append(columns, c)
			rows = rows || c.Kind == schema.Clustering || c.Kind == schema.Regular
			statics = statics || c.Kind == schema.Static
		}
	}
	for _, c := range table.Columns {
		if slices.Contains(names, c.Name) {
			continue
		}
		if c.Kind == schema.PartitionKey || c.Kind == schema.Clustering && (rows || !statics) {
			errs = append(errs, fmt.Errorf("column %q (%s) is of the primary key, and the rows do not have it", c.Name, c.Type))
		}
	}
	o.used.add(columns)
	return columns, errors.Join(errs...)
}

// usedColumns are the names of columns that are written. It is safe for concurrent use.
type usedColumns struct {
	mu    sync.Mutex
	names map[string]bool
}

func (u *usedColumns) add(columns []schema.Column) {
	if u == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, c := range columns {
		u.names[c.Name] = true
	}
}

func (u *usedColumns) has(name string) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.names[name]
}

func near(name string, names []string) string {
	found := schema.Near(name, names)
	if len(found) == 0 {
		return ""
	}
	for i, n := range found {
		found[i] = fmt.Sprintf("%q", n)
	}
	return "; did you mean " + strings.Join(found, " or ") + "?"
}

// sameBytes reports whether the bytes of one type are valid as the other: if the types are equal
// except for frozen, or differ only in what they guarantee.
func sameBytes(from, to *codec.Type) bool {
	switch {
	case from == nil || to == nil:
		return false
	case from.Kind == codec.Ascii && to.Kind == codec.Text,
		from.Kind == codec.Timeuuid && to.Kind == codec.UUID,
		from.Kind == codec.Counter && to.Kind == codec.Bigint:
		return true
	case from.Kind != to.Kind || from.Dim != to.Dim,
		len(from.Elems) != len(to.Elems) || len(from.Fields) != len(to.Fields),
		from.Kind == codec.Custom && from.Name != to.Name:
		return false
	}
	for i := range from.Elems {
		if !sameBytes(from.Elems[i], to.Elems[i]) {
			return false
		}
	}
	for i := range from.Fields {
		if from.Fields[i].Name != to.Fields[i].Name || !sameBytes(from.Fields[i].Type, to.Fields[i].Type) {
			return false
		}
	}
	return true
}
