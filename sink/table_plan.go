package sink

import (
	"encoding/binary"
	"slices"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/schema"
)

// plan is how rows with certain columns are written into a table.
type plan struct {
	table   *schema.Table
	columns []schema.Column // in the table's order: partition key, clustering, static, regular
	keys    int             // how many of them are the primary key
	parts   int             // how many of them are the partition key
	options planOptions

	usual   *statement            // for rows without tuples: the only one, or nearly so
	shaped  bool                  // rows need statements of several shapes
	statics bool                  // a row may consist of the partition key and static columns
	shapes  map[string]*statement // by signature; used by one goroutine
}

type planOptions struct {
	delete      bool
	nullsDelete bool
	ttl         bool
	same        sameness
	used        *usedColumns // nil if nobody asks
}

// names returns the columns in the form that the codec takes.
func (p *plan) names() []codec.Column {
	cols := make([]codec.Column, len(p.columns))
	for i, c := range p.columns {
		cols[i] = codec.Column{Name: c.Name, Type: c.Type}
	}
	return cols
}

// newPlan makes the plan for columns that have been checked.
func newPlan(table *schema.Table, columns []schema.Column, o planOptions) *plan {
	p := &plan{table: table, columns: columns, parts: len(table.PartitionKey), options: o, shapes: map[string]*statement{}}
	set := make([]assignment, len(columns))
	clustering := false
	for i, c := range columns {
		set[i] = assignment{c.Name, "?", []*codec.Type{c.Type}}
		switch c.Kind {
		case schema.PartitionKey, schema.Clustering:
			p.keys++
			clustering = clustering || c.Kind == schema.Clustering
		case schema.Static:
			p.statics = true
		}
		p.shaped = p.shaped || expands(c.Type)
	}
	p.statics = p.statics && clustering
	if o.delete {
		p.usual = deletion(table, o.same, set)
	} else {
		p.usual = insertion(table, o.same, set, o.ttl, slices.ContainsFunc(columns, appends))
	}
	return p
}

// appends reports whether a column must not be written twice by one write: see clock.
func appends(c schema.Column) bool { return c.Type.Kind == codec.List && !c.Type.Frozen }

// key appends the partition key to buf, in a form that is equal only for equal keys.
func (p *plan) key(buf []byte, cells []codec.Cell) []byte {
	for _, c := range cells[:p.parts] {
		buf = binary.BigEndian.AppendUint32(buf, uint32(len(c.Bytes)))
		buf = append(buf, c.Bytes...)
	}
	return buf
}

// missing returns the name of a primary-key column that is null, "" if none is.
func (p *plan) missing(cells []codec.Cell) string {
	for i := range p.keys {
		if cells[i].Null {
			return p.columns[i].Name
		}
	}
	return ""
}
