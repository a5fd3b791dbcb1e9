package codec

import (
	"fmt"
	"reflect"
	"unsafe"
)

// part is one element of a tuple or field of a user-defined type, and where it lies in the Go
// value.
type part struct {
	offset uintptr
	fn     decodeFunc
}

// decodeTuple serves structs, whose exported fields are the elements in order (those tagged "-"
// left out), arrays and slices, of any above all. A tuple with fewer elements than its type has,
// from before the type grew, ends in nulls.
func decodeTuple(t *Type, rt reflect.Type, depth int) (decodeFunc, error) {
	places, err := tuplePlaces(t, rt)
	if err != nil {
		return nil, err
	}
	parts := make([]part, len(places))
	for i, pl := range places {
		fn, err := compileDecodeAt(t.Elems[i], pl.typ, depth+1)
		if err != nil {
			return nil, within1(fmt.Sprintf("element %d", i+1), err)
		}
		parts[i] = part{pl.offset, fn}
	}
	if rt.Kind() != reflect.Slice {
		return decodeParts(rt, parts), nil
	}
	alloc, n, size := allocSlice(rt.Elem()), len(parts), int(rt.Elem().Size())
	return func(s *decodeState, p unsafe.Pointer, data []byte) error {
		*(*sliceHeader)(p) = sliceHeader{}
		if data == nil {
			return nil
		}
		array := alloc(n)
		s.kept += n * size
		*(*sliceHeader)(p) = sliceHeader{array, n, n}
		return eachPart(s, data, array, parts)
	}, nil
}

// place is where a part of a composite value lies in a Go struct, array or slice, and its Go type.
type place struct {
	offset uintptr
	typ    reflect.Type
}

func tuplePlaces(t *Type, rt reflect.Type) (places []place, err error) {
	n := len(t.Elems)
	switch rt.Kind() {
	case reflect.Slice, reflect.Array:
		if rt.Kind() == reflect.Array && rt.Len() != n {
			return nil, &noFit{t: t, rt: rt, reason: fmt.Sprintf("the array has %d elements and the tuple %d", rt.Len(), n),
				remedy: fmt.Sprintf("use [%d]%s", n, rt.Elem())}
		}
		for i := range n {
			places = append(places, place{uintptr(i) * rt.Elem().Size(), rt.Elem()})
		}
		return places, nil
	case reflect.Struct:
		if scalarStruct(rt) {
			break
		}
		for i := range rt.NumField() {
			f := rt.Field(i)
			if f.IsExported() && f.Tag.Get("cql") != "-" {
				places = append(places, place{f.Offset, f.Type})
			}
		}
		if len(places) != n {
			return nil, &noFit{t: t, rt: rt, reason: fmt.Sprintf("the struct has %d exported fields and the tuple %d elements",
				len(places), n), remedy: "give it one field for each element in order, others tagged \"-\""}
		}
		return places, nil
	}
	return nil, unfit(t, rt)
}

// decodeUDT serves structs by cql tag, and maps from field name to value, in which a null field is
// the zero value or, for any, nil. As for rows, a field that only one side has is refused, since it
// would be lost silently.
func decodeUDT(t *Type, rt reflect.Type, depth int) (decodeFunc, error) {
	if rt.Kind() == reflect.Map && rt.Key().Kind() == reflect.String {
		return decodeUDTMap(t, rt, depth)
	}
	places, err := udtPlaces(t, rt)
	if err != nil {
		return nil, err
	}
	parts := make([]part, len(places))
	for i, pl := range places {
		fn, err := compileDecodeAt(t.Fields[i].Type, pl.typ, depth+1)
		if err != nil {
			return nil, within1(fmt.Sprintf("field %q", t.Fields[i].Name), err)
		}
		parts[i] = part{pl.offset, fn}
	}
	return decodeParts(rt, parts), nil
}

func udtPlaces(t *Type, rt reflect.Type) ([]place, error) {
	if rt.Kind() != reflect.Struct || scalarStruct(rt) {
		return nil, unfit(t, rt)
	}
	cols := make([]Column, len(t.Fields))
	for i, f := range t.Fields {
		cols[i] = Column(f)
	}
	descs, err := match(rt, cols, matchRules{})
	if err != nil {
		return nil, err
	}
	places := make([]place, len(descs))
	for i, d := range descs {
		places[i] = place{d.offset, d.typ}
	}
	return places, nil
}

// decodeParts makes a decodeFunc for a Go value that holds all parts in itself.
func decodeParts(rt reflect.Type, parts []part) decodeFunc {
	return func(s *decodeState, p unsafe.Pointer, data []byte) error {
		if data == nil {
			reflect.NewAt(rt, p).Elem().SetZero()
			return nil
		}
		return eachPart(s, data, p, parts)
	}
}

func eachPart(s *decodeState, data []byte, base unsafe.Pointer, parts []part) error {
	r := reader{data}
	for i := range parts {
		var cell []byte
		if !r.empty() {
			var err error
			if cell, err = r.bytes(); err != nil {
				return err
			}
		}
		if err := parts[i].fn(s, unsafe.Add(base, parts[i].offset), cell); err != nil {
			return err
		}
	}
	return endOfParts(&r)
}

// endOfParts refuses parts that the type did not have when the plan was made.
func endOfParts(r *reader) error {
	if !r.empty() {
		return corrupt("%d bytes past the last field (prepare again if the type was altered)", len(r.rest))
	}
	return nil
}

func decodeUDTMap(t *Type, rt reflect.Type, depth int) (decodeFunc, error) {
	fns := make([]decodeFunc, len(t.Fields))
	names := make([]reflect.Value, len(t.Fields))
	for i, f := range t.Fields {
		fn, err := compileDecodeAt(f.Type, rt.Elem(), depth+1)
		if err != nil {
			return nil, within1(fmt.Sprintf("field %q", f.Name), err)
		}
		fns[i], names[i] = fn, reflect.ValueOf(f.Name).Convert(rt.Key())
	}
	size := mapSize(len(fns), rt.Key().Size(), rt.Elem().Size())
	return func(s *decodeState, p unsafe.Pointer, data []byte) error {
		dst := reflect.NewAt(rt, p).Elem()
		dst.SetZero()
		if data == nil {
			return nil
		}
		m := reflect.MakeMapWithSize(rt, len(fns))
		s.kept += size
		dst.Set(m)
		r, v := reader{data}, reflect.New(rt.Elem())
		for i, fn := range fns {
			var cell []byte
			if !r.empty() {
				var err error
				if cell, err = r.bytes(); err != nil {
					return err
				}
			}
			if err := fn(s, v.UnsafePointer(), cell); err != nil {
				return err
			}
			m.SetMapIndex(names[i], v.Elem())
		}
		return endOfParts(&r)
	}, nil
}
