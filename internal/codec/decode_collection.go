package codec

import (
	"fmt"
	"reflect"
	"unsafe"
)

// decodeCollection serves lists and sets. Null is a nil slice or map, an empty collection an empty
// one. An array must have as many elements as the collection, and is all zeroes for null. A null
// element, which the server makes in lists of TTLs, is the zero value or nil.
func decodeCollection(t *Type, rt reflect.Type, depth int) (decodeFunc, error) {
	switch {
	case rt.Kind() == reflect.Slice || rt.Kind() == reflect.Array:
		elem, err := compileDecodeAt(t.Elems[0], rt.Elem(), depth+1)
		if err != nil {
			return nil, within1("element", err)
		}
		if rt.Kind() == reflect.Array {
			return decodeListArray(rt, elem), nil
		}
		return decodeSlice(rt, elem), nil
	case t.Kind == Set && rt.Kind() == reflect.Map && rt.Elem().Kind() == reflect.Struct && rt.Elem().NumField() == 0:
		if !goodKey(rt.Key()) {
			return nil, &noFit{t: t, rt: rt, reason: fmt.Sprintf("%s cannot be a map key", rt.Key()), remedy: "use a slice"}
		}
		elem, err := compileDecodeAt(t.Elems[0], rt.Key(), depth+1)
		if err != nil {
			return nil, within1("element", err)
		}
		return decodeSetMap(rt, elem), nil
	}
	return nil, unfit(t, rt)
}

// within1 adds to an error which part of a composite type does not fit.
func within1(part string, err error) error {
	return fmt.Errorf("%s: %w", part, err)
}

func decodeSlice(rt reflect.Type, elem decodeFunc) decodeFunc {
	alloc, size := allocSlice(rt.Elem()), rt.Elem().Size()
	return func(s *decodeState, p unsafe.Pointer, data []byte) error {
		*(*sliceHeader)(p) = sliceHeader{}
		if data == nil {
			return nil
		}
		r := reader{data}
		n, err := r.count(4)
		if err != nil {
			return err
		}
		array := alloc(n)
		s.kept += n * int(size)
		*(*sliceHeader)(p) = sliceHeader{array, n, n}
		return eachElement(s, &r, n, array, size, elem)
	}
}

func decodeListArray(rt reflect.Type, elem decodeFunc) decodeFunc {
	size, want := rt.Elem().Size(), rt.Len()
	return func(s *decodeState, p unsafe.Pointer, data []byte) error {
		reflect.NewAt(rt, p).Elem().SetZero()
		if data == nil {
			return nil
		}
		r := reader{data}
		n, err := r.count(4)
		if err != nil {
			return err
		}
		if n != want {
			return fmt.Errorf("%w: %d elements for an array of %d", ErrRange, n, want)
		}
		return eachElement(s, &r, n, p, size, elem)
	}
}

func eachElement(s *decodeState, r *reader, n int, array unsafe.Pointer, size uintptr, elem decodeFunc) error {
	for i := range n {
		cell, err := r.bytes()
		if err != nil {
			return err
		}
		if err := elem(s, unsafe.Add(array, uintptr(i)*size), cell); err != nil {
			return err
		}
	}
	return r.end()
}

func decodeSetMap(rt reflect.Type, elem decodeFunc) decodeFunc {
	keySize := rt.Key().Size()
	member := reflect.Zero(rt.Elem())
	return func(s *decodeState, p unsafe.Pointer, data []byte) error {
		dst := reflect.NewAt(rt, p).Elem()
		dst.SetZero()
		if data == nil {
			return nil
		}
		r := reader{data}
		n, err := r.count(4)
		if err != nil {
			return err
		}
		m := reflect.MakeMapWithSize(rt, n)
		s.kept += mapSize(n, keySize, 0)
		dst.Set(m)
		key := reflect.New(rt.Key())
		for range n {
			cell, err := r.bytes()
			if err != nil {
				return err
			}
			if err := elem(s, key.UnsafePointer(), cell); err != nil {
				return err
			}
			m.SetMapIndex(key.Elem(), member)
		}
		return endOfKeys(&r, m, n)
	}
}
