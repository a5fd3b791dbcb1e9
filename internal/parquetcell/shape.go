package parquetcell

import (
	"fmt"
	"strconv"

	"github.com/parquet-go/parquet-go"

	"github.com/rxcql/rxcql/internal/codec"
)

// shape is the plan by which values of a CQL type are shredded.
type shape struct {
	levels
	form        form
	typ         *codec.Type
	first, last int // its leaf columns: first up to, and without, last
	kids        []*shape
}

// Schema is the Parquet schema of columns, and the plan by which rows of these are written.
type Schema struct {
	parquet *parquet.Schema
	columns []codec.Column
	shapes  []*shape
	leaves  int
}

// NewSchema makes the schema of columns. All of them are optional, since each may be null. The
// error names every column that cannot be written.
func NewSchema(columns []codec.Column) (*Schema, error) {
	if err := codec.Distinct(columns); err != nil {
		return nil, err
	}
	s := &Schema{columns: columns}
	root := newGroup()
	for _, c := range columns {
		node, sh, err := s.optional(c.Type, levels{})
		if err != nil {
			return nil, fmt.Errorf("column %q (%s): %w", c.Name, c.Type, err)
		}
		root.add(c.Name, node)
		s.shapes = append(s.shapes, sh)
	}
	if s.leaves > parquet.MaxColumnIndex {
		return nil, fmt.Errorf("the columns have %d leaves, and a file has %d at most", s.leaves, parquet.MaxColumnIndex)
	}
	s.parquet = parquet.NewSchema("row", root)
	return s, nil
}

// Parquet returns the schema as the library has it.
func (s *Schema) Parquet() *parquet.Schema { return s.parquet }

// Columns returns the columns that the schema was made for.
func (s *Schema) Columns() []codec.Column { return s.columns }

// optional makes a node that may be null, inside one whose levels are known.
func (s *Schema) optional(t *codec.Type, in levels) (parquet.Node, *shape, error) {
	in.present++
	node, sh, err := s.node(t, in)
	if err != nil {
		return nil, nil, err
	}
	return parquet.Optional(node), sh, nil
}

// node makes the node of a type. at has the levels at which its value is present.
func (s *Schema) node(t *codec.Type, at levels) (node parquet.Node, sh *shape, err error) {
	sh = &shape{levels: at, typ: t, first: s.leaves}
	defer func() { sh.last = s.leaves }()
	inside := levels{present: at.present + 1, repeats: at.repeats + 1}
	switch t.Kind {
	case codec.List, codec.Set, codec.Vector:
		sh.form = formList
		sh.repeats, sh.element = inside.repeats, inside.present
		element := s.optional
		if t.Kind == codec.Vector { // no element of a vector is null
			element = s.node
		}
		of, kid, err := element(t.Elems[0], inside)
		if err != nil {
			return nil, nil, err
		}
		sh.kids = []*shape{kid}
		return parquet.List(of), sh, nil
	case codec.Map:
		sh.form = formMap
		sh.repeats, sh.element = inside.repeats, inside.present
		key, first, err := s.node(t.Elems[0], inside)
		if err != nil {
			return nil, nil, err
		}
		value, second, err := s.optional(t.Elems[1], inside)
		if err != nil {
			return nil, nil, err
		}
		sh.kids = []*shape{first, second}
		return parquet.Map(key, value), sh, nil
	case codec.Tuple, codec.UDT:
		sh.form = formGroup
		group := newGroup()
		for i, f := range fieldsOf(t) {
			of, kid, err := s.optional(f.Type, at)
			if err != nil {
				return nil, nil, err
			}
			if group.Group[f.Name] != nil {
				return nil, nil, fmt.Errorf("field %d has the name of another one", i+1)
			}
			group.add(f.Name, of)
			sh.kids = append(sh.kids, kid)
		}
		return group, sh, nil
	}
	s.leaves++
	node, err = leaf(t)
	return node, sh, err
}

// fieldsOf returns the fields of a user-defined type, or the elements of a tuple under the names
// _1, _2 and so on.
func fieldsOf(t *codec.Type) []codec.Field {
	if t.Kind == codec.UDT {
		return t.Fields
	}
	fields := make([]codec.Field, len(t.Elems))
	for i, e := range t.Elems {
		fields[i] = codec.Field{Name: "_" + strconv.Itoa(i+1), Type: e}
	}
	return fields
}

// leaf returns the node of a type without parameters. Repeated text and small numbers get a
// dictionary, which the library gives up where it would grow too large.
func leaf(t *codec.Type) (parquet.Node, error) {
	dictionary := func(n parquet.Node) parquet.Node { return parquet.Encoded(n, &parquet.RLEDictionary) }
	switch t.Kind {
	case codec.Ascii, codec.Text:
		return dictionary(parquet.String()), nil
	case codec.Varint, codec.Decimal, codec.Inet, codec.Duration: // Parquet has no type that holds all of them
		return dictionary(parquet.String()), nil
	case codec.Blob, codec.Custom:
		return parquet.Leaf(parquet.ByteArrayType), nil
	case codec.Boolean:
		return parquet.Leaf(parquet.BooleanType), nil
	case codec.Tinyint:
		return dictionary(parquet.Int(8)), nil
	case codec.Smallint:
		return dictionary(parquet.Int(16)), nil
	case codec.Int:
		return dictionary(parquet.Int(32)), nil
	case codec.Bigint, codec.Counter:
		return parquet.Int(64), nil
	case codec.Float:
		return parquet.Leaf(parquet.FloatType), nil
	case codec.Double:
		return parquet.Leaf(parquet.DoubleType), nil
	case codec.Timestamp:
		return parquet.TimestampAdjusted(parquet.Millisecond, true), nil
	case codec.Date:
		return dictionary(parquet.Date()), nil
	case codec.Time:
		return parquet.TimeAdjusted(parquet.Nanosecond, false), nil
	case codec.UUID, codec.Timeuuid:
		return parquet.UUID(), nil
	}
	return nil, fmt.Errorf("a %s has no form in Parquet", t)
}
