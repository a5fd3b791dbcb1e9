package gotext

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"unsafe"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/jsonline"
)

// checked is a Read of JSON from a field of CSV, which is not known to be any.
func checked(read func(p unsafe.Pointer, value []byte) error) func(p unsafe.Pointer, text []byte) error {
	return func(p unsafe.Pointer, text []byte) error {
		if err := jsonline.CheckField(text); err != nil {
			return err
		}
		return read(p, bytes.TrimSpace(text))
	}
}

// composite sets what a cell of several values does, in CSV and in JSON.
func (c *Cell) composite(write func(dst []byte, p unsafe.Pointer) ([]byte, error), read func(p unsafe.Pointer, value []byte) error) {
	c.form = whole
	c.Append, c.Read = write, checked(read)
	c.json = &Cell{Append: write, Read: read}
}

type sliceHeader struct {
	data     unsafe.Pointer
	len, cap int
}

func (b *Plans) slice(c *Cell, rt reflect.Type) error {
	elem, err := b.Of(rt.Elem())
	size := rt.Elem().Size()
	c.Null = func(p unsafe.Pointer) bool { return (*sliceHeader)(p).data == nil }
	c.composite(func(dst []byte, p unsafe.Pointer) ([]byte, error) {
		h := (*sliceHeader)(p)
		return appendElements(dst, elem, h.data, h.len, size)
	}, func(p unsafe.Pointer, value []byte) error {
		if value[0] != '[' {
			return unfit(value)
		}
		v := reflect.NewAt(rt, p).Elem()
		v.Set(reflect.MakeSlice(rt, 0, 0))
		parts := jsonline.NewParts(value)
		for i := 0; ; i++ {
			part, more := parts.Next()
			if !more {
				return nil
			}
			v.Grow(1)
			v.SetLen(i + 1)
			if err := elem.ReadJSON(unsafe.Add((*sliceHeader)(p).data, uintptr(i)*size), part); err != nil {
				return within(i, err)
			}
		}
	})
	return err
}

func within(i int, err error) error { return fmt.Errorf("element %d: %w", i+1, err) }

func appendElements(dst []byte, elem *Cell, data unsafe.Pointer, n int, size uintptr) ([]byte, error) {
	dst = append(dst, '[')
	for i := range n {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = elem.AppendJSON(dst, unsafe.Add(data, uintptr(i)*size)); err != nil {
			return dst, within(i, err)
		}
	}
	return append(dst, ']'), nil
}

func (b *Plans) array(c *Cell, rt reflect.Type) error {
	elem, err := b.Of(rt.Elem())
	size, n := rt.Elem().Size(), rt.Len()
	c.composite(func(dst []byte, p unsafe.Pointer) ([]byte, error) {
		return appendElements(dst, elem, p, n, size)
	}, func(p unsafe.Pointer, value []byte) error {
		if value[0] != '[' {
			return unfit(value)
		}
		parts := jsonline.NewParts(value)
		for i := 0; ; i++ {
			part, more := parts.Next()
			if !more && i == n {
				return nil
			}
			if !more || i == n {
				return fmt.Errorf("%w: not %d elements", jsonline.ErrUnfit, n)
			}
			if err := elem.ReadJSON(unsafe.Add(p, uintptr(i)*size), part); err != nil {
				return within(i, err)
			}
		}
	})
	return err
}

var errTwice = errors.New("a key occurs twice")

// mapping writes a map in the order of its keys' text: as an array if it is a set,
// a map to a struct of nothing.
func (b *Plans) mapping(c *Cell, rt reflect.Type) error {
	key, err := b.Of(rt.Key())
	elem, elemErr := b.Of(rt.Elem())
	set := rt.Elem().Kind() == reflect.Struct && rt.Elem().NumField() == 0
	c.Null = func(p unsafe.Pointer) bool { return reflect.NewAt(rt, p).Elem().IsNil() }
	c.composite(func(dst []byte, p unsafe.Pointer) ([]byte, error) {
		m := reflect.NewAt(rt, p).Elem()
		entries, err := entriesOf(m, key, elem, set)
		if err != nil {
			return dst, err
		}
		open, closing := byte('{'), byte('}')
		if set {
			open, closing = '[', ']'
		}
		dst = append(dst, open)
		for i, e := range entries {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, e...)
		}
		return append(dst, closing), nil
	}, func(p unsafe.Pointer, value []byte) error {
		m := reflect.NewAt(rt, p).Elem()
		m.Set(reflect.MakeMap(rt))
		parts := jsonline.NewParts(value)
		if set && value[0] == '[' {
			for {
				part, more := parts.Next()
				if !more {
					return nil
				}
				k := reflect.New(rt.Key())
				if err := key.ReadJSON(k.UnsafePointer(), part); err != nil {
					return err
				}
				if m.MapIndex(k.Elem()).IsValid() {
					return errTwice
				}
				m.SetMapIndex(k.Elem(), reflect.Zero(rt.Elem()))
			}
		}
		if value[0] != '{' {
			return unfit(value)
		}
		for {
			name, part, more := parts.NextField()
			if !more {
				return nil
			}
			k, v := reflect.New(rt.Key()), reflect.New(rt.Elem())
			if err := key.readName(k.UnsafePointer(), name); err != nil {
				return fmt.Errorf("a key: %w", err)
			}
			if m.MapIndex(k.Elem()).IsValid() {
				return errTwice
			}
			if err := elem.ReadJSON(v.UnsafePointer(), part); err != nil {
				return fmt.Errorf("a value: %w", err)
			}
			m.SetMapIndex(k.Elem(), v.Elem())
		}
	})
	if set {
		elemErr = nil
	}
	return errors.Join(err, elemErr)
}

// readName reads a key of an object: the text of the value, or its JSON.
func (c *Cell) readName(p unsafe.Pointer, name []byte) error {
	text, err := jsonline.Unquote(name, nil)
	if err != nil {
		return err
	}
	if c.form == escaped && c.json == nil || len(text) > 0 && c.form != whole {
		return c.Read(p, text)
	}
	if err := jsonline.Check(text); err != nil {
		return err
	}
	return c.ReadJSON(p, text)
}

func entriesOf(m reflect.Value, key, elem *Cell, set bool) ([][]byte, error) {
	var entries [][]byte
	k, v := reflect.New(m.Type().Key()), reflect.New(m.Type().Elem())
	for it := m.MapRange(); it.Next(); {
		k.Elem().SetIterKey(it)
		e, err := key.AppendJSON(nil, k.UnsafePointer())
		if err != nil {
			return nil, err
		}
		if !set {
			if e[0] != '"' {
				if e, err = codec.AppendJSONText(nil, string(e)); err != nil {
					return nil, err
				}
			}
			v.Elem().SetIterValue(it)
			if e, err = elem.AppendJSON(append(e, ':'), v.UnsafePointer()); err != nil {
				return nil, err
			}
		}
		entries = append(entries, e)
	}
	slices.SortFunc(entries, bytes.Compare)
	return entries, nil
}
