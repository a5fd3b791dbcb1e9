package codec

import (
	"fmt"

	"github.com/gocql/gocql"
)

// FromDriver turns the driver's description of a type into a tree. What the driver leaves out
// follows from the rules of CQL: tuples, and all types nested in another one, are frozen. At the
// top Frozen is false if it is not known. The driver describes vectors as custom types with a Java
// class; those are read too, with everything in them.
func FromDriver(info gocql.TypeInfo) (*Type, error) {
	return fromDriver(info, 0)
}

var kindsByDriver = func() map[gocql.Type]Kind {
	m := map[gocql.Type]Kind{gocql.TypeText: Text}
	for k := Ascii; k < List; k++ {
		m[kinds[k].driver] = k
	}
	return m
}()

func fromDriver(info gocql.TypeInfo, depth int) (*Type, error) {
	if info == nil {
		return nil, fmt.Errorf("%w: the driver gives no type", ErrType)
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("%w: nested too deep", ErrType)
	}
	if k, ok := kindsByDriver[info.Type()]; ok {
		return &Type{Kind: k}, nil
	}
	switch v := info.(type) {
	case gocql.CollectionType:
		return fromCollection(v, depth)
	case gocql.TupleTypeInfo:
		t := &Type{Kind: Tuple, Frozen: true}
		if len(v.Elems) == 0 {
			return nil, fmt.Errorf("%w: a tuple without elements", ErrType)
		}
		for _, e := range v.Elems {
			et, err := fromDriver(e, depth+1)
			if err != nil {
				return nil, err
			}
			t.Elems = append(t.Elems, nested(et))
		}
		return t, nil
	case gocql.UDTTypeInfo:
		t := &Type{Kind: UDT, Keyspace: v.KeySpace, Name: v.Name}
		for _, e := range v.Elements {
			et, err := fromDriver(e.Type, depth+1)
			if err != nil {
				return nil, err
			}
			t.Fields = append(t.Fields, Field{Name: e.Name, Type: nested(et)})
		}
		return t, nil
	}
	if info.Type() == gocql.TypeCustom {
		return ParseClass(info.Custom())
	}
	return nil, fmt.Errorf("%w: the driver's type %d", ErrType, info.Type())
}

func fromCollection(v gocql.CollectionType, depth int) (*Type, error) {
	t := &Type{}
	parts := []gocql.TypeInfo{v.Elem}
	switch v.Type() {
	case gocql.TypeList:
		t.Kind = List
	case gocql.TypeSet:
		t.Kind = Set
	case gocql.TypeMap:
		t.Kind = Map
		parts = []gocql.TypeInfo{v.Key, v.Elem}
	default:
		return nil, fmt.Errorf("%w: the driver's type %d", ErrType, v.Type())
	}
	for _, part := range parts {
		e, err := fromDriver(part, depth+1)
		if err != nil {
			return nil, err
		}
		t.Elems = append(t.Elems, nested(e))
	}
	return t, nil
}

// nested is the form a type has inside another one: frozen, where that means something.
func nested(t *Type) *Type { return t.frozen() }

func nestedAll(ts []*Type) []*Type {
	for i := range ts {
		ts[i] = nested(ts[i])
	}
	return ts
}
