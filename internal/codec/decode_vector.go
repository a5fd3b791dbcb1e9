package codec

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"unsafe"
)

// decodeVector serves slices and arrays of the vector's dimension. Elements lie packed if their
// kind says so, else each has an unsigned vint before it that tells its length. A vector's elements
// are never null.
func decodeVector(t *Type, rt reflect.Type, depth int) (decodeFunc, error) {
	if err := vectorFits(t, rt); err != nil {
		return nil, err
	}
	et := rt.Elem()
	elem, err := compileDecodeAt(t.Elems[0], et, depth+1)
	if err != nil {
		return nil, within1("element", err)
	}
	fill := fillVariable(t.Dim, et.Size(), elem)
	if packed := t.Elems[0].PackedLen(); packed > 0 {
		fill = fillPacked(t.Dim, packed, et.Size(), elem)
		if t.Elems[0].Kind == Float && et.Kind() == reflect.Float32 && !reflect.PointerTo(et).Implements(typeUnmarshaler) {
			fill = fillFloats(t.Dim)
		}
	}
	if rt.Kind() == reflect.Array {
		return func(s *decodeState, p unsafe.Pointer, data []byte) error {
			reflect.NewAt(rt, p).Elem().SetZero()
			if len(data) == 0 {
				return nil
			}
			return fill(s, data, p)
		}, nil
	}
	// Each element takes at least one byte, so a length checked first keeps corrupt bytes from a
	// large allocation.
	least := manyLen(t.Dim, max(1, t.Elems[0].PackedLen()))
	alloc, dim, size := allocSlice(et), t.Dim, int(et.Size())
	return func(s *decodeState, p unsafe.Pointer, data []byte) error {
		*(*sliceHeader)(p) = sliceHeader{}
		if len(data) == 0 {
			return nil
		}
		if len(data) < least {
			return corrupt("too few bytes for %d elements", dim)
		}
		array := alloc(dim)
		s.kept += dim * size
		*(*sliceHeader)(p) = sliceHeader{array, dim, dim}
		return fill(s, data, array)
	}, nil
}

func vectorFits(t *Type, rt reflect.Type) error {
	switch {
	case rt.Kind() != reflect.Slice && rt.Kind() != reflect.Array:
		return unfit(t, rt)
	case rt.Kind() == reflect.Array && rt.Len() != t.Dim:
		return &noFit{t: t, rt: rt, reason: fmt.Sprintf("the array has %d elements and the vector %d", rt.Len(), t.Dim),
			remedy: fmt.Sprintf("use [%d]%s", t.Dim, rt.Elem())}
	}
	return nil
}

// fillFunc writes all elements of a vector to array.
type fillFunc func(s *decodeState, data []byte, array unsafe.Pointer) error

func fillFloats(dim int) fillFunc {
	return func(_ *decodeState, data []byte, array unsafe.Pointer) error {
		if len(data) != 4*dim {
			return corruptLen(4*dim, len(data))
		}
		for i, f := 0, unsafe.Slice((*uint32)(array), dim); i < dim; i++ {
			f[i] = binary.BigEndian.Uint32(data[4*i:])
		}
		return nil
	}
}

func fillPacked(dim, packed int, size uintptr, elem decodeFunc) fillFunc {
	return func(s *decodeState, data []byte, array unsafe.Pointer) error {
		if want := manyLen(dim, packed); len(data) != want {
			return corruptLen(want, len(data))
		}
		r := reader{data}
		for i := range dim {
			if err := elem(s, unsafe.Add(array, uintptr(i)*size), r.take(packed)); err != nil {
				return err
			}
		}
		return nil
	}
}

func fillVariable(dim int, size uintptr, elem decodeFunc) fillFunc {
	return func(s *decodeState, data []byte, array unsafe.Pointer) error {
		r := reader{data}
		for i := range dim {
			n, err := r.vint()
			if err != nil {
				return err
			}
			if n > uint64(len(r.rest)) {
				return corrupt("an element is longer than the bytes left")
			}
			if err := elem(s, unsafe.Add(array, uintptr(i)*size), r.take(int(n))); err != nil {
				return err
			}
		}
		return r.end()
	}
}
