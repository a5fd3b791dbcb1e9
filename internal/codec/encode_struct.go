package codec

import (
	"fmt"
	"reflect"
	"unsafe"
)

type encodePart struct {
	offset uintptr
	fn     encodeFunc
}

// encodeTuple serves structs, arrays and slices, as decodeTuple does; a nil slice is null, and one
// of another length than the tuple's an error.
func encodeTuple(t *Type, rt reflect.Type, depth int) (encodeFunc, error) {
	places, err := tuplePlaces(t, rt)
	if err != nil {
		return nil, err
	}
	parts := make([]encodePart, len(places))
	for i, pl := range places {
		fn, err := compileEncodeAt(t.Elems[i], pl.typ, depth+1)
		if err != nil {
			return nil, within1(fmt.Sprintf("element %d", i+1), err)
		}
		parts[i] = encodePart{pl.offset, fn}
	}
	if rt.Kind() != reflect.Slice {
		return encodeParts(parts), nil
	}
	return eachOf(rt, func(buf []byte, array unsafe.Pointer, n int, _ uintptr) ([]byte, error) {
		if n != len(parts) {
			return buf, badValue("%d elements for a tuple of %d", n, len(parts))
		}
		return appendParts(buf, array, parts)
	}), nil
}

// encodeUDT serves structs by cql tag, and maps by name, in which a missing field is null and an
// unknown one an error.
func encodeUDT(t *Type, rt reflect.Type, depth int) (encodeFunc, error) {
	if rt.Kind() == reflect.Map && rt.Key().Kind() == reflect.String {
		return encodeUDTMap(t, rt, depth)
	}
	places, err := udtPlaces(t, rt)
	if err != nil {
		return nil, err
	}
	parts := make([]encodePart, len(places))
	for i, pl := range places {
		fn, err := compileEncodeAt(t.Fields[i].Type, pl.typ, depth+1)
		if err != nil {
			return nil, within1(fmt.Sprintf("field %q", t.Fields[i].Name), err)
		}
		parts[i] = encodePart{pl.offset, fn}
	}
	return encodeParts(parts), nil
}

func encodeParts(parts []encodePart) encodeFunc {
	return func(buf []byte, p unsafe.Pointer) ([]byte, bool, error) {
		out, err := appendParts(buf, p, parts)
		return out, false, err
	}
}

func appendParts(buf []byte, base unsafe.Pointer, parts []encodePart) ([]byte, error) {
	var err error
	for i := range parts {
		if buf, err = appendElement(buf, parts[i].fn, unsafe.Add(base, parts[i].offset)); err != nil {
			return buf, err
		}
	}
	return buf, nil
}

func encodeUDTMap(t *Type, rt reflect.Type, depth int) (encodeFunc, error) {
	fns := make([]encodeFunc, len(t.Fields))
	names := make([]reflect.Value, len(t.Fields))
	for i, f := range t.Fields {
		fn, err := compileEncodeAt(f.Type, rt.Elem(), depth+1)
		if err != nil {
			return nil, within1(fmt.Sprintf("field %q", f.Name), err)
		}
		fns[i], names[i] = fn, reflect.ValueOf(f.Name).Convert(rt.Key())
	}
	return func(buf []byte, p unsafe.Pointer) ([]byte, bool, error) {
		m := reflect.NewAt(rt, p).Elem()
		if m.IsNil() {
			return buf, true, nil
		}
		found := 0
		value := reflect.New(rt.Elem())
		for i, fn := range fns {
			v := m.MapIndex(names[i])
			if !v.IsValid() {
				buf = append(buf, 0xff, 0xff, 0xff, 0xff)
				continue
			}
			found++
			value.Elem().Set(v)
			var err error
			if buf, err = appendElement(buf, fn, value.UnsafePointer()); err != nil {
				return buf, false, err
			}
		}
		if found < m.Len() {
			return buf, false, badValue("the map has keys that are not fields of %s", t)
		}
		return buf, false, nil
	}, nil
}
