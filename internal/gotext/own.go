package gotext

import (
	"encoding"
	"fmt"
	"reflect"
	"unsafe"

	"github.com/rxcql/rxcql/internal/jsonline"
)

// texts serves types with MarshalText and UnmarshalText. A nil slice or map is
// null before they are asked.
func texts(c *Cell, rt reflect.Type) {
	c.form, c.kind = escaped, reflect.Invalid
	nilIsNull(c, rt)
	c.Append = func(dst []byte, p unsafe.Pointer) ([]byte, error) {
		text, err := reflect.NewAt(rt, p).Interface().(encoding.TextMarshaler).MarshalText()
		if err != nil {
			err = &hidden{"MarshalText", err}
		}
		return append(dst, text...), err
	}
	c.Read = func(p unsafe.Pointer, text []byte) error {
		if err := reflect.NewAt(rt, p).Interface().(encoding.TextUnmarshaler).UnmarshalText(text); err != nil {
			return &hidden{"UnmarshalText", err}
		}
		return nil
	}
}

func nilIsNull(c *Cell, rt reflect.Type) {
	switch rt.Kind() {
	case reflect.Slice, reflect.Map, reflect.Interface:
		c.Null = func(p unsafe.Pointer) bool { return reflect.NewAt(rt, p).Elem().IsNil() }
	}
}

// json leaves a type to encoding/json, unless that would lose something.
func (b *Plans) json(c *Cell, rt reflect.Type) error {
	c.form = whole
	nilIsNull(c, rt)
	loose := b.loose
	c.Append = func(dst []byte, p unsafe.Pointer) ([]byte, error) {
		return jsonline.Append(dst, reflect.NewAt(rt, p).Interface())
	}
	c.Read = func(p unsafe.Pointer, text []byte) error {
		return jsonline.Read(text, reflect.NewAt(rt, p).Interface(), loose)
	}
	return jsonline.CheckType(rt)
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
