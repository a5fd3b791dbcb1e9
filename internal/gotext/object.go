package gotext

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unsafe"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/jsonline"
)

// member is one field of a struct, wherever it is embedded.
type member struct {
	name   string // in JSON
	key    []byte // the name with quotes and colon
	offset uintptr
	typ    reflect.Type
	cell   *Cell
	omit   func(p unsafe.Pointer) bool // nil if it is always written
	quotes bool                        // the option string of its json tag
}

// object serves structs. One with names in tags is an object: `json` tags come
// before `cql` tags, and both are read. One with none is a tuple, an array. Either
// is read from an array too, by order.
func (b *Plans) object(c *Cell, rt reflect.Type) error {
	w := &walk{plans: b, byName: map[string]int{}}
	w.fields(rt, 0)
	if w.hidden && len(w.members) == 0 {
		w.errs = append(w.errs, errHidden)
	}
	tuple := !w.named
	c.composite(func(dst []byte, p unsafe.Pointer) ([]byte, error) {
		if tuple {
			return appendTuple(dst, w.members, p)
		}
		return appendObject(dst, w.members, p)
	}, func(p unsafe.Pointer, value []byte) error {
		switch value[0] {
		case '[':
			return readTuple(w.members, p, value)
		case '{':
			return w.read(p, value, b.loose)
		}
		return unfit(value)
	})
	return errors.Join(w.errs...)
}

var errHidden = errors.New("none of its fields is exported, so its JSON would be empty; " +
	"export them, give it MarshalJSON and UnmarshalJSON, or leave it out with the tag json:\"-\"")

func appendTuple(dst []byte, members []member, p unsafe.Pointer) ([]byte, error) {
	dst = append(dst, '[')
	for i := range members {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = members[i].cell.AppendJSON(dst, unsafe.Add(p, members[i].offset)); err != nil {
			return dst, within(i, err)
		}
	}
	return append(dst, ']'), nil
}

func appendObject(dst []byte, members []member, p unsafe.Pointer) ([]byte, error) {
	dst = append(dst, '{')
	first := len(dst)
	for i := range members {
		m := &members[i]
		at := unsafe.Add(p, m.offset)
		if m.omit != nil && m.omit(at) {
			continue
		}
		if len(dst) > first {
			dst = append(dst, ',')
		}
		start := len(dst)
		var err error
		if dst, err = m.cell.AppendJSON(append(dst, m.key...), at); err != nil {
			return dst, m.wrong(err)
		}
		if value := dst[start+len(m.key):]; m.quotes && value[0] != 'n' {
			if dst, err = codec.AppendJSONText(dst[:start+len(m.key)], string(value)); err != nil {
				return dst, m.wrong(err)
			}
		}
	}
	return append(dst, '}'), nil
}

func (m *member) wrong(err error) error { return fmt.Errorf("field %q (%s): %w", m.name, m.typ, err) }

func readTuple(members []member, p unsafe.Pointer, value []byte) error {
	parts := jsonline.NewParts(value)
	for i := 0; ; i++ {
		part, more := parts.Next()
		if !more && i == len(members) {
			return nil
		}
		if !more || i == len(members) {
			return fmt.Errorf("%w: not %d elements, one for each field", jsonline.ErrUnfit, len(members))
		}
		if err := members[i].cell.ReadJSON(unsafe.Add(p, members[i].offset), part); err != nil {
			return within(i, err)
		}
	}
}

// read reads an object. Names are matched as they are, else without regard to case.
func (w *walk) read(p unsafe.Pointer, value []byte, loose bool) error {
	parts := jsonline.NewParts(value)
	var few [4]uint64
	seen := few[:]
	if len(w.members) > 64*len(few) {
		seen = make([]uint64, len(w.members)/64+1)
	}
	for {
		key, part, more := parts.NextField()
		if !more {
			return nil
		}
		name, err := jsonline.Unquote(key, nil)
		if err != nil {
			return err
		}
		i, known := w.byName[string(name)]
		if !known {
			i, known = w.folded(string(name))
		}
		switch {
		case !known && loose:
			continue
		case !known:
			return fmt.Errorf("%w: unknown field %q", jsonline.ErrUnfit, name)
		}
		m := &w.members[i]
		if seen[i/64]&(1<<(i%64)) != 0 {
			return fmt.Errorf("%w: field %q occurs twice", jsonline.ErrUnfit, m.name)
		}
		seen[i/64] |= 1 << (i % 64)
		at := unsafe.Add(p, m.offset)
		if m.quotes && part[0] == '"' {
			if part, err = jsonline.Unquote(part, nil); err == nil {
				err = jsonline.Check(part)
			}
		}
		if err == nil {
			err = m.cell.ReadJSON(at, part)
		}
		if err != nil {
			return m.wrong(err)
		}
	}
}

func (w *walk) folded(name string) (int, bool) {
	for i := range w.members {
		if strings.EqualFold(w.members[i].name, name) {
			return i, true
		}
	}
	return 0, false
}
