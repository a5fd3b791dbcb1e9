package codec

import "reflect"

// Tagged is a field of a row type that a cql tag names, wherever it is embedded.
type Tagged struct {
	Name   string // of the column
	Path   string // of the Go field
	Offset uintptr
	Type   reflect.Type
}

// TaggedFields lists those of a struct, in its order. isStruct is false for a type that is one
// column. Errors are those of Columns.
func TaggedFields[T any]() (fields []Tagged, isStruct bool, err error) {
	found, isStruct, err := fieldsOf(reflect.TypeFor[T]())
	for _, f := range found {
		fields = append(fields, Tagged{f.name, f.path, f.offset, f.typ})
	}
	return fields, isStruct, err
}

// NullStruct recognizes sql.Null[X], sql.NullString and the like. It returns the field that holds
// the value, and the one that says whether there is a value.
func NullStruct(rt reflect.Type) (value, valid reflect.StructField, ok bool) {
	value, ok = nullStruct(rt)
	if ok {
		valid = rt.Field(1)
	}
	return value, valid, ok
}
