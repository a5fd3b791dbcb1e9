package codec

import (
	"fmt"
	"reflect"
)

// NaturalColumns returns the columns that the cql tags of a struct name, each with the CQL type
// that the field's Go type is most like: what a file is read as and written from where there is no
// table to ask. The error says for which fields there is none.
func NaturalColumns[T any]() ([]Column, error) {
	fields, isStruct, err := TaggedFields[T]()
	if err != nil {
		return nil, err
	}
	if !isStruct {
		return nil, fmt.Errorf("%s has no columns; use a struct with `cql` tags", A(reflect.TypeFor[T]()))
	}
	cols := make([]Column, len(fields))
	for i, f := range fields {
		t, err := naturalCQL(f.Type, 0)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.Path, err)
		}
		cols[i] = Column{Name: f.Name, Type: t}
	}
	return cols, nil
}

// naturalScalars are the CQL types of Go types that reflect's kinds do not tell.
var naturalScalars = map[reflect.Type]Kind{
	typeTime: Timestamp, typeBigInt: Varint, typeDec: Decimal, typeDuration: Duration, typeStdDuration: Time,
	typeAddr: Inet, typeIP: Inet,
}

var naturalKinds = map[reflect.Kind]Kind{
	reflect.Bool: Boolean, reflect.String: Text, reflect.Float32: Float, reflect.Float64: Double,
	reflect.Int8: Tinyint, reflect.Int16: Smallint, reflect.Int32: Int, reflect.Int64: Bigint, reflect.Int: Bigint,
	reflect.Uint8: Smallint, reflect.Uint16: Int, reflect.Uint32: Bigint, reflect.Uint64: Varint, reflect.Uint: Varint,
}

// naturalDepth bounds types that contain themselves.
const naturalDepth = 16

func naturalCQL(rt reflect.Type, depth int) (*Type, error) {
	if depth++; depth > naturalDepth {
		return nil, fmt.Errorf("%s contains itself, or is nested too deeply", A(rt))
	}
	if kind, known := naturalScalars[rt]; known {
		return &Type{Kind: kind}, nil
	}
	if value, ok := nullStruct(rt); ok {
		return naturalCQL(value.Type, depth)
	}
	switch rt.Kind() {
	case reflect.Pointer:
		return naturalCQL(rt.Elem(), depth)
	case reflect.Slice, reflect.Array:
		if rt.Elem().Kind() == reflect.Uint8 {
			if rt.Kind() == reflect.Slice {
				return &Type{Kind: Blob}, nil
			}
			if rt.Len() == 16 {
				return &Type{Kind: UUID}, nil
			}
			break
		}
		return naturalOf(depth, List, rt.Elem())
	case reflect.Map:
		if rt.Elem().Kind() == reflect.Struct && rt.Elem().NumField() == 0 {
			return naturalOf(depth, Set, rt.Key())
		}
		return naturalOf(depth, Map, rt.Key(), rt.Elem())
	case reflect.Struct:
		return naturalUDT(rt, depth)
	}
	if kind, known := naturalKinds[rt.Kind()]; known {
		return &Type{Kind: kind}, nil
	}
	return nil, fmt.Errorf("it is not known which CQL type %s is; read and write rxcql.Row instead", A(rt))
}

func naturalOf(depth int, kind Kind, of ...reflect.Type) (*Type, error) {
	t := &Type{Kind: kind, Frozen: true}
	for _, rt := range of {
		elem, err := naturalCQL(rt, depth)
		if err != nil {
			return nil, err
		}
		t.Elems = append(t.Elems, elem)
	}
	return t, nil
}

func naturalUDT(rt reflect.Type, depth int) (*Type, error) {
	fields, isStruct, err := fieldsOf(rt)
	switch {
	case err != nil:
		return nil, err
	case !isStruct || scalarStruct(rt):
		return nil, fmt.Errorf("it is not known which CQL type %s is; read and write rxcql.Row instead", A(rt))
	}
	t := &Type{Kind: UDT, Name: rt.Name(), Frozen: true}
	for _, f := range fields {
		inner, err := naturalCQL(f.typ, depth)
		if err != nil {
			return nil, fmt.Errorf("field %s: %w", f.path, err)
		}
		t.Fields = append(t.Fields, Field{Name: f.name, Type: inner})
	}
	return t, nil
}
