// Package widen turns the bytes of CQL values of one type into those of a wider type, which has
// every value that the first has: an int into a bigint, a list<float> into a list<double>. Nothing
// is rounded, cut or parsed.
package widen

import (
	"fmt"

	"github.com/rxcql/rxcql/internal/codec"
)

// Func appends the bytes of a value of the wider type to dst. The value is not null. Bytes that are
// no value of the narrower type are an error, whose text holds none of them.
type Func func(dst, value []byte) ([]byte, error)

// New returns the function for a pair of types; nil if the bytes are valid as they are. Frozen or
// not makes no difference: that is how the server stores a value, not how it looks on the wire.
// User-defined types are compared field by field, not by their names. The wider one may have more
// fields at its end, which are then null. The error says that some values of from are none of to.
func New(from, to *codec.Type) (Func, error) {
	fn, ok := widening(from, to)
	if !ok {
		return nil, fmt.Errorf("%s cannot hold every value of %s", to, from)
	}
	return fn, nil
}

// widening returns the function for a pair of types, nil for equal bytes; ok reports whether there
// is one.
func widening(from, to *codec.Type) (fn Func, ok bool) {
	switch {
	case from == nil || to == nil:
		return nil, false
	case from.Kind < codec.List && to.Kind < codec.List:
		return scalar(from.Kind, to.Kind)
	case from.Kind != to.Kind:
		return nil, false
	case from.Kind == codec.Custom:
		return nil, from.Name == to.Name
	case from.Kind == codec.Vector:
		return vector(from, to)
	case from.Kind == codec.UDT:
		return fields(from, to)
	case len(from.Elems) != len(to.Elems):
		return nil, false
	}
	fns := make([]Func, len(from.Elems))
	same := true
	for i := range from.Elems {
		if fns[i], ok = widening(from.Elems[i], to.Elems[i]); !ok {
			return nil, false
		}
		same = same && fns[i] == nil
	}
	switch {
	case same:
		return nil, true
	case from.Kind == codec.Tuple:
		return parts(fns, len(fns)), true
	default:
		return elements(fns), true
	}
}

// vector allows wider elements if both types write elements without a length before each.
func vector(from, to *codec.Type) (Func, bool) {
	fn, ok := widening(from.Elems[0], to.Elems[0])
	if !ok || from.Dim != to.Dim {
		return nil, false
	}
	if fn == nil {
		return nil, true
	}
	size := from.Elems[0].PackedLen()
	if size == 0 || to.Elems[0].PackedLen() == 0 {
		return nil, false
	}
	return packed(fn, size, from.Dim), true
}

// fields compares user-defined types: the fields of the narrower one are the first of the wider.
func fields(from, to *codec.Type) (Func, bool) {
	if len(from.Fields) > len(to.Fields) {
		return nil, false
	}
	fns := make([]Func, len(from.Fields))
	same := true
	for i, f := range from.Fields {
		fn, ok := widening(f.Type, to.Fields[i].Type)
		if !ok || f.Name != to.Fields[i].Name {
			return nil, false
		}
		fns[i], same = fn, same && fn == nil
	}
	if same {
		return nil, true // fields that the bytes do not have are null
	}
	return parts(fns, len(fns)), true
}
