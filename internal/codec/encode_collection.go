package codec

import (
	"encoding/binary"
	"fmt"
	"math"
	"reflect"
	"unsafe"
)

// encodeCollection serves lists and sets from slices, arrays and, as in the driver, map[T]struct{}
// in no order. Nil slices and maps are null, empty ones are empty collections.
func encodeCollection(t *Type, rt reflect.Type, depth int) (encodeFunc, error) {
	switch {
	case rt.Kind() == reflect.Slice || rt.Kind() == reflect.Array:
		elem, err := compileEncodeAt(t.Elems[0], rt.Elem(), depth+1)
		if err != nil {
			return nil, within1("element", err)
		}
		return eachOf(rt, func(buf []byte, array unsafe.Pointer, n int, size uintptr) ([]byte, error) {
			return appendElements(buf, array, n, size, elem)
		}), nil
	case rt.Kind() == reflect.Map && rt.Elem().Kind() == reflect.Struct && rt.Elem().NumField() == 0:
		elem, err := compileEncodeAt(t.Elems[0], rt.Key(), depth+1)
		if err != nil {
			return nil, within1("element", err)
		}
		return encodeEntries(t, rt, elem, nil), nil
	}
	return nil, unfit(t, rt)
}

// eachOf makes an encodeFunc from a writer of n elements, for slices (nil is null) and arrays
// alike.
func eachOf(rt reflect.Type, write func(buf []byte, array unsafe.Pointer, n int, size uintptr) ([]byte, error)) encodeFunc {
	size := rt.Elem().Size()
	if rt.Kind() == reflect.Array {
		n := rt.Len()
		return func(buf []byte, p unsafe.Pointer) ([]byte, bool, error) {
			out, err := write(buf, p, n, size)
			return out, false, err
		}
	}
	return func(buf []byte, p unsafe.Pointer) ([]byte, bool, error) {
		h := (*sliceHeader)(p)
		if h.array == nil {
			return buf, true, nil
		}
		out, err := write(buf, h.array, h.len, size)
		return out, false, err
	}
}

func appendElements(buf []byte, array unsafe.Pointer, n int, size uintptr, elem encodeFunc) ([]byte, error) {
	buf, err := appendCount(buf, n)
	for i := 0; i < n && err == nil; i++ {
		buf, err = appendElement(buf, elem, unsafe.Add(array, uintptr(i)*size))
	}
	return buf, err
}

func appendCount(buf []byte, n int) ([]byte, error) {
	if n > math.MaxInt32 {
		return buf, ErrRange
	}
	return binary.BigEndian.AppendUint32(buf, uint32(n)), nil
}

// encodeMap serves maps: null if nil.
func encodeMap(t *Type, rt reflect.Type, depth int) (encodeFunc, error) {
	if rt.Kind() != reflect.Map {
		return nil, unfit(t, rt)
	}
	key, err := compileEncodeAt(t.Elems[0], rt.Key(), depth+1)
	if err != nil {
		return nil, within1("key", err)
	}
	value, err := compileEncodeAt(t.Elems[1], rt.Elem(), depth+1)
	if err != nil {
		return nil, within1("value", err)
	}
	return encodeEntries(t, rt, key, value), nil
}

// encodeEntries writes the keys of a Go map, each followed by its value if there is a writer
// for those. Keys that differ in Go and are one to the server are refused, since chance would
// choose between their values.
func encodeEntries(t *Type, rt reflect.Type, key, value encodeFunc) encodeFunc {
	distinct := keysDistinct(t.Elems[0], rt.Key())
	return func(buf []byte, p unsafe.Pointer) ([]byte, bool, error) {
		m := reflect.NewAt(rt, p).Elem()
		if m.IsNil() {
			return buf, true, nil
		}
		buf, err := appendCount(buf, m.Len())
		if err != nil {
			return buf, false, err
		}
		var seen map[string]bool
		if !distinct && m.Len() > 1 {
			seen = make(map[string]bool, m.Len())
		}
		k, v := reflect.New(rt.Key()), reflect.New(rt.Elem())
		for it := m.MapRange(); it.Next(); {
			k.Elem().SetIterKey(it)
			start := len(buf)
			if buf, err = appendElement(buf, key, k.UnsafePointer()); err != nil {
				return buf, false, err
			}
			if seen != nil {
				if seen[string(buf[start:])] {
					return buf, false, badValue("two keys of the map are one %s", t.Elems[0])
				}
				seen[string(buf[start:])] = true
			}
			if value == nil {
				continue
			}
			v.Elem().SetIterValue(it)
			if buf, err = appendElement(buf, value, v.UnsafePointer()); err != nil {
				return buf, false, err
			}
		}
		return buf, false, nil
	}
}

// keysDistinct reports whether keys that differ in Go always have other bytes.
func keysDistinct(t *Type, rt reflect.Type) bool {
	if rt.Implements(typeMarshaler) || reflect.PointerTo(rt).Implements(typeMarshaler) {
		return false
	}
	switch t.Kind {
	case Ascii, Text, Blob:
		return rt.Kind() == reflect.String
	case Tinyint, Smallint, Int, Bigint, Varint:
		return rt.Kind() >= reflect.Int && rt.Kind() <= reflect.Uint64
	case Boolean:
		return true
	case UUID, Timeuuid:
		return byteArray16(rt)
	case Inet:
		return rt == typeAddr
	}
	return false
}

// encodeVector serves slices and arrays of the vector's dimension; null elements are refused, as
// the server does.
func encodeVector(t *Type, rt reflect.Type, depth int) (encodeFunc, error) {
	if err := vectorFits(t, rt); err != nil {
		return nil, err
	}
	elem, err := compileEncodeAt(t.Elems[0], rt.Elem(), depth+1)
	if err != nil {
		return nil, within1("element", err)
	}
	packed := t.Elems[0].PackedLen()
	return eachOf(rt, func(buf []byte, array unsafe.Pointer, n int, size uintptr) ([]byte, error) {
		if n != t.Dim {
			return buf, badValue("%d elements for a vector of %d", n, t.Dim)
		}
		for i := range n {
			// A length is almost always one byte; if it turns out to be longer, the element moves up.
			start := len(buf)
			if packed == 0 {
				buf = append(buf, 0)
			}
			body := len(buf)
			var null bool
			var err error
			if buf, null, err = elem(buf, unsafe.Add(array, uintptr(i)*size)); err != nil {
				return buf, err
			}
			length := len(buf) - body
			switch {
			case null:
				return buf, badValue("element %d of the vector is null", i+1)
			case packed == 0:
				more := vintLen(uint64(length)) - 1
				buf = append(buf, make([]byte, more)...)
				copy(buf[body+more:], buf[body:body+length])
				putVint(buf[start:body+more], uint64(length))
			case length != packed:
				return buf, fmt.Errorf("%w: element %d of the vector has %d bytes where %d are needed", ErrValue, i+1, length, packed)
			}
		}
		return buf, nil
	}), nil
}
