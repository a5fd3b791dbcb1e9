package parquetcell

import (
	"strings"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// elementOf finds the column that repeats in a list, and the one that is its element. They are the
// same where the list has two levels only. The rules are those of the Parquet format (LogicalTypes,
// "Lists", backward compatibility). It returns nil if the column is no list.
func elementOf(c *parquet.Column) (repeated, element *parquet.Column) {
	if c.Leaf() || len(c.Columns()) != 1 || !annotated[*format.ListType](c) {
		return nil, nil
	}
	repeated = c.Columns()[0]
	switch {
	case !repeated.Repeated():
		return nil, nil
	case repeated.Leaf(), len(repeated.Columns()) != 1,
		repeated.Name() == "array", repeated.Name() == c.Name()+"_tuple":
		return repeated, repeated
	}
	return repeated, repeated.Columns()[0]
}

// entriesOf finds the group of key and value that repeats in a map; nil if the column is no map.
func entriesOf(c *parquet.Column) *parquet.Column {
	if c.Leaf() || len(c.Columns()) != 1 || !annotated[*format.MapType](c) {
		return nil
	}
	repeated := c.Columns()[0]
	if !repeated.Repeated() || repeated.Leaf() || len(repeated.Columns()) != 2 {
		return nil
	}
	return repeated
}

// annotated reports whether a group has a logical type.
func annotated[L format.LogicalTypeValue](c *parquet.Column) bool {
	logical := c.Type().LogicalType()
	if logical == nil {
		return false
	}
	_, is := logical.Value.(L)
	return is
}

// describe says what a column is, for errors.
func describe(c *parquet.Column) string {
	repeats := ""
	if c.Repeated() {
		repeats = "repeated "
	}
	switch {
	case c.Leaf():
		kind, name := c.Type().Kind().String(), c.Type().String()
		if logical := c.Type().LogicalType(); logical != nil && !strings.EqualFold(kind, name) {
			return repeats + kind + " (" + name + ")"
		}
		return repeats + kind
	case annotated[*format.ListType](c):
		return repeats + "a LIST"
	case annotated[*format.MapType](c):
		return repeats + "a MAP"
	}
	return repeats + "a group"
}
