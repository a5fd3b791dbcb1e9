package csvrow

import (
	"encoding"
	"encoding/hex"
	"errors"
	"fmt"
	"reflect"
	"unsafe"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/jsonline"
)

// cell writes and reads the text of one Go type.
type cell struct {
	nullable bool
	append   func(dst []byte, p unsafe.Pointer) (text []byte, null bool, err error)
	read     func(p unsafe.Pointer, text []byte) error // into a zero value; never null
}

var errTwoNulls = errors.New("CSV has one null, and this type two; use one pointer or sql.Null")

// cellOf: what tells null first, then a type's own text, then the kinds, and JSON
// for whatever has parts.
func cellOf(rt reflect.Type) (cell, error) {
	if rt.Kind() == reflect.Pointer {
		return pointerCell(rt)
	}
	if value, valid, ok := codec.NullStruct(rt); ok {
		return nullCell(value, valid.Offset)
	}
	pt := reflect.PointerTo(rt)
	if pt.Implements(reflect.TypeFor[encoding.TextMarshaler]()) && pt.Implements(reflect.TypeFor[encoding.TextUnmarshaler]()) {
		return textCell(rt), nil
	}
	if c, ok := kindCell(rt); ok {
		return c, nil
	}
	switch rt.Kind() {
	case reflect.Slice:
		if rt.Elem().Kind() == reflect.Uint8 {
			return bytesCell(), nil
		}
		return jsonCell(rt, true), nil
	case reflect.Map:
		return jsonCell(rt, true), nil
	case reflect.Interface:
		if rt.NumMethod() == 0 {
			return jsonCell(rt, true), nil
		}
	case reflect.Array, reflect.Struct:
		return jsonCell(rt, false), nil
	}
	return cell{}, errors.New("it has no text; give it MarshalText and UnmarshalText")
}

// inner is the cell of what a pointer or sql.Null holds.
func inner(rt reflect.Type) (cell, error) {
	c, err := cellOf(rt)
	if err == nil && c.nullable {
		err = errTwoNulls
	}
	return c, err
}

func pointerCell(rt reflect.Type) (cell, error) {
	elem := rt.Elem()
	c, err := inner(elem)
	return cell{
		nullable: true,
		append: func(dst []byte, p unsafe.Pointer) ([]byte, bool, error) {
			if p = *(*unsafe.Pointer)(p); p == nil {
				return dst, true, nil
			}
			return c.append(dst, p)
		},
		read: func(p unsafe.Pointer, text []byte) error {
			v := reflect.New(elem)
			*(*unsafe.Pointer)(p) = v.UnsafePointer()
			return c.read(v.UnsafePointer(), text)
		},
	}, err
}

func nullCell(value reflect.StructField, valid uintptr) (cell, error) {
	c, err := inner(value.Type)
	return cell{
		nullable: true,
		append: func(dst []byte, p unsafe.Pointer) ([]byte, bool, error) {
			if !*(*bool)(unsafe.Add(p, valid)) {
				return dst, true, nil
			}
			return c.append(dst, unsafe.Add(p, value.Offset))
		},
		read: func(p unsafe.Pointer, text []byte) error {
			*(*bool)(unsafe.Add(p, valid)) = true
			return c.read(unsafe.Add(p, value.Offset), text)
		},
	}, err
}

func textCell(rt reflect.Type) cell {
	return cell{
		append: func(dst []byte, p unsafe.Pointer) ([]byte, bool, error) {
			text, err := reflect.NewAt(rt, p).Interface().(encoding.TextMarshaler).MarshalText()
			if err != nil {
				err = &hidden{"MarshalText", err}
			}
			return append(dst, text...), false, err
		},
		read: func(p unsafe.Pointer, text []byte) error {
			if err := reflect.NewAt(rt, p).Interface().(encoding.TextUnmarshaler).UnmarshalText(text); err != nil {
				return &hidden{"UnmarshalText", err}
			}
			return nil
		},
	}
}

// bytesCell writes 0x and hexadecimal digits, as CQL does.
func bytesCell() cell {
	return cell{
		nullable: true,
		append: func(dst []byte, p unsafe.Pointer) ([]byte, bool, error) {
			b := *(*[]byte)(p)
			return hex.AppendEncode(append(dst, "0x"...), b), b == nil, nil
		},
		read: func(p unsafe.Pointer, text []byte) error {
			if len(text) < 2 || text[0] != '0' || text[1] != 'x' {
				return errors.New("bytes must be written as 0x and hexadecimal digits")
			}
			b, err := hex.AppendDecode([]byte{}, text[2:])
			if err != nil {
				return errors.New("what follows 0x are not pairs of hexadecimal digits")
			}
			*(*[]byte)(p) = b
			return nil
		},
	}
}

func jsonCell(rt reflect.Type, nullable bool) cell {
	return cell{
		nullable: nullable,
		append: func(dst []byte, p unsafe.Pointer) ([]byte, bool, error) {
			v := reflect.NewAt(rt, p)
			if nullable && v.Elem().IsNil() {
				return dst, true, nil
			}
			text, err := jsonline.Append(dst, v.Interface())
			return text, false, err
		},
		read: func(p unsafe.Pointer, text []byte) error {
			return jsonline.Read(text, reflect.NewAt(rt, p).Interface(), false)
		},
	}
}

// hidden keeps back the text of an error that a user's method returned, since it
// may hold the value.
type hidden struct {
	method string
	err    error
}

func (e *hidden) Error() string {
	return fmt.Sprintf("%s returned a %T (unwrap it to see its text, which may hold the value)", e.method, e.err)
}

func (e *hidden) Unwrap() error { return e.err }
