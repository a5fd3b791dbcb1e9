package parquetcell

import (
	"reflect"

	"github.com/parquet-go/parquet-go"
)

// group is a parquet.Group whose fields keep the order in which they were given. The library sorts
// those of its own by name.
type group struct {
	parquet.Group
	fields []parquet.Field
}

func newGroup() *group { return &group{Group: parquet.Group{}} }

func (g *group) add(name string, node parquet.Node) {
	g.Group[name] = node
	g.fields = append(g.fields, &field{Node: node, name: name})
}

// Fields returns the fields in order.
func (g *group) Fields() []parquet.Field { return g.fields }

// GoType: rows are written as values, so no Go type is made for them.
func (g *group) GoType() reflect.Type { return reflect.TypeFor[any]() }

// field is one field of a group.
type field struct {
	parquet.Node
	name string
}

// Name returns the field's name.
func (f *field) Name() string { return f.name }

// Value is never called, since rows are written as values.
func (f *field) Value(reflect.Value) reflect.Value { return reflect.Value{} }
