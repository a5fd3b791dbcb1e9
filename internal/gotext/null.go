package gotext

import (
	"net"
	"reflect"
	"unsafe"

	"github.com/rxcql/rxcql/internal/codec"
)

// pointer: nil is null, and so is what it points to, if that is null.
func (b *Plans) pointer(c *Cell, rt reflect.Type) error {
	elem := rt.Elem()
	inner, err := b.Of(elem)
	at := func(p unsafe.Pointer) unsafe.Pointer { return *(*unsafe.Pointer)(p) }
	c.through(inner, at, func(p unsafe.Pointer) bool { return at(p) == nil }, func(p unsafe.Pointer) unsafe.Pointer {
		v := reflect.New(elem)
		*(*unsafe.Pointer)(p) = v.UnsafePointer()
		return v.UnsafePointer()
	})
	return err
}

// null serves sql.Null and the like.
func (b *Plans) null(c *Cell, value reflect.StructField, valid uintptr) error {
	inner, err := b.Of(value.Type)
	at := func(p unsafe.Pointer) unsafe.Pointer { return unsafe.Add(p, value.Offset) }
	c.through(inner, at, func(p unsafe.Pointer) bool { return !*(*bool)(unsafe.Add(p, valid)) }, func(p unsafe.Pointer) unsafe.Pointer {
		*(*bool)(unsafe.Add(p, valid)) = true
		return at(p)
	})
	return err
}

// through makes the cell of a type that may hold a value of another one. at finds that value,
// absent reports that there is none, put makes one. The other cell may not be filled yet.
func (c *Cell) through(inner *Cell, at func(unsafe.Pointer) unsafe.Pointer, absent func(unsafe.Pointer) bool, put func(unsafe.Pointer) unsafe.Pointer) {
	c.Null = func(p unsafe.Pointer) bool { return absent(p) || inner.Null != nil && inner.Null(at(p)) }
	c.Append = func(dst []byte, p unsafe.Pointer) ([]byte, error) { return inner.Append(dst, at(p)) }
	c.Read = func(p unsafe.Pointer, text []byte) error { return inner.Read(put(p), text) }
	c.json = &Cell{
		Append: func(dst []byte, p unsafe.Pointer) ([]byte, error) { return inner.AppendJSON(dst, at(p)) },
		Read:   func(p unsafe.Pointer, value []byte) error { return inner.ReadJSON(put(p), value) },
	}
}

// TwoNulls reports whether a type can be null in two ways that its user tells
// apart, which one field of CSV does not.
func TwoNulls(rt reflect.Type) bool {
	var inner reflect.Type
	value, _, null := codec.NullStruct(rt)
	switch {
	case null:
		inner = value.Type
	case rt.Kind() == reflect.Pointer:
		inner = rt.Elem()
	default:
		return false
	}
	if _, _, ok := codec.NullStruct(inner); ok {
		return true
	}
	switch inner.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Interface:
		return true
	case reflect.Slice:
		return inner != reflect.TypeFor[net.IP]() && !reflect.PointerTo(inner).Implements(typeTextMarshaler)
	}
	return false
}
