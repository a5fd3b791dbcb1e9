package transfer

import (
	"errors"
	"fmt"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/ddl"
	"github.com/rxcql/rxcql/internal/schema"
)

// define returns the table that Create would make: that of the source as the options change it.
func (c *copyConfig) define(from *schema.Table, to *end) (*schema.Table, error) {
	t := &schema.Table{Keyspace: to.keyspace, Name: to.name, Counter: from.Counter, DefaultTTL: from.DefaultTTL}
	var errs []error
	for _, col := range from.Columns {
		name, copied := c.target(col.Name)
		if !copied {
			continue
		}
		if _, twice := t.Column(name); twice {
			continue // resolve reports it
		}
		col.Name = name
		t.Columns = append(t.Columns, col)
		switch col.Kind {
		case schema.PartitionKey:
			t.PartitionKey = append(t.PartitionKey, col)
		case schema.Clustering:
			t.ClusteringKey = append(t.ClusteringKey, col)
		}
	}
	for _, o := range c.constants {
		if _, twice := t.Column(o.column); twice {
			continue
		}
		typ, err := o.parse(from)
		if err != nil {
			errs = append(errs, fmt.Errorf("Constant: column %q: %w", o.column, err))
			continue
		}
		t.Columns = append(t.Columns, schema.Column{Name: o.column, Kind: schema.Regular, Position: -1, Type: typ})
	}
	return t, errors.Join(errs...)
}

// parse reads the type of a constant. User-defined types are those that the source's columns have.
func (o constantOption) parse(from *schema.Table) (*codec.Type, error) {
	if o.cqlType == "" {
		return nil, errors.New("the table is about to be made: give the column's type")
	}
	return codec.Parse(o.cqlType, func(name string) (*codec.Type, error) {
		for _, t := range ddl.Types(from.Columns) {
			if t.Name == name {
				return t, nil
			}
		}
		return nil, fmt.Errorf("no column of the source has a type %q", name)
	})
}
