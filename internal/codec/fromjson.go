package codec

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/rxcql/rxcql/internal/jsonline"
)

// ParseJSON reads a value that is not null, as AppendJSON writes it, from valid JSON, and adds
// its bytes to dst. What is said of ParseText holds here too; a number or a boolean may stand
// in quotes. An object is taken for a tuple by the order of its fields, since that is how a
// struct with names is written.
func ParseJSON(dst []byte, t *Type, value []byte) ([]byte, error) {
	return TextParser(ParseText).JSON(dst, t, value)
}

// TextParser reads the text of a single value that is not null, and adds the value's bytes to dst.
type TextParser func(dst []byte, t *Type, text []byte) ([]byte, error)

// JSON reads a value that is not null from valid JSON, as ParseJSON does, in which single values
// have the texts that the parser reads.
func (p TextParser) JSON(dst []byte, t *Type, value []byte) ([]byte, error) {
	switch t.Kind {
	case List, Set, Tuple, Vector:
		if value[0] == '{' && t.Kind == Tuple {
			return p.parseParts(dst, t, value)
		}
		if value[0] != '[' {
			return dst, unfitJSON(t, value)
		}
		return p.parseParts(dst, t, value)
	case Map, UDT:
		if value[0] == '[' && t.Kind == UDT {
			return p.parseParts(dst, t, value)
		}
		if value[0] != '{' {
			return dst, unfitJSON(t, value)
		}
		if t.Kind == UDT {
			return p.parseUDT(dst, t, value)
		}
		return p.parseMap(dst, t, value)
	}
	switch value[0] {
	case '"':
		text, err := jsonline.Unquote(value, nil)
		if err != nil {
			return dst, err
		}
		return p(dst, t, text)
	case '[', '{', 'n':
		return dst, unfitJSON(t, value)
	}
	if t.Kind == Ascii || t.Kind == Text {
		return dst, unfitJSON(t, value)
	}
	return p(dst, t, value)
}

var (
	errTwice       = errors.New("a key occurs twice")
	errNullElement = errors.New("null in a vector")
)

func unfitJSON(t *Type, value []byte) error {
	is := "a number"
	switch value[0] {
	case '"':
		is = "a string"
	case '[':
		is = "an array"
	case '{':
		is = "an object"
	case 'n':
		is = "null"
	case 't', 'f':
		is = "a boolean"
	}
	return fmt.Errorf("%s of JSON for %s", is, A(t))
}

// parseElement adds the length and the bytes of an element, or the length of null.
func (p TextParser) parseElement(dst []byte, t *Type, value []byte) ([]byte, error) {
	start := len(dst)
	dst = append(dst, 0xff, 0xff, 0xff, 0xff)
	if value == nil || string(value) == "null" {
		return dst, nil
	}
	dst, err := p.JSON(dst, t, value)
	if err != nil {
		return dst, err
	}
	n := len(dst) - start - 4
	if n > math.MaxInt32 {
		return dst, ErrRange
	}
	binary.BigEndian.PutUint32(dst[start:], uint32(n))
	return dst, nil
}

// parseParts reads lists, sets, vectors, tuples, and user-defined types by order.
func (p TextParser) parseParts(dst []byte, t *Type, value []byte) ([]byte, error) {
	parts, object := jsonline.NewParts(value), value[0] == '{'
	start, n := len(dst), 0
	if t.Kind == List || t.Kind == Set {
		dst = append(dst, 0, 0, 0, 0)
	}
	want := wanted(t)
	for ; ; n++ {
		var part []byte
		var more bool
		if object {
			_, part, more = parts.NextField()
		} else {
			part, more = parts.Next()
		}
		if !more {
			break
		}
		if n == want {
			return dst, fmt.Errorf("more than %d elements for %s", want, A(t))
		}
		var err error
		switch t.Kind {
		case Vector:
			dst, err = p.parseVectorElement(dst, t.Elems[0], part)
		case Tuple:
			dst, err = p.parseElement(dst, t.Elems[n], part)
		case UDT:
			dst, err = p.parseElement(dst, t.Fields[n].Type, part)
		default:
			if string(part) == "null" {
				return dst, fmt.Errorf("null in %s", A(t))
			}
			dst, err = p.parseElement(dst, t.Elems[0], part)
		}
		if err != nil {
			return dst, err
		}
	}
	if want >= 0 && n != want {
		return dst, fmt.Errorf("%d elements for %s", n, A(t))
	}
	if t.Kind == List || t.Kind == Set {
		binary.BigEndian.PutUint32(dst[start:], uint32(n))
	}
	return dst, nil
}

// wanted is how many elements a value has; -1 for any number.
func wanted(t *Type) int {
	switch t.Kind {
	case Tuple:
		return len(t.Elems)
	case UDT:
		return len(t.Fields)
	case Vector:
		return t.Dim
	}
	return -1
}

func (p TextParser) parseVectorElement(dst []byte, t *Type, value []byte) ([]byte, error) {
	if string(value) == "null" {
		return dst, errNullElement
	}
	packed := t.PackedLen()
	if packed > 0 {
		return p.JSON(dst, t, value)
	}
	cell, err := p.JSON(nil, t, value)
	return append(appendVint(dst, uint64(len(cell))), cell...), err
}

func (p TextParser) parseUDT(dst []byte, t *Type, value []byte) ([]byte, error) {
	cells := make([][]byte, len(t.Fields))
	parts := jsonline.NewParts(value)
	for {
		key, cell, more := parts.NextField()
		if !more {
			break
		}
		name, err := jsonline.Unquote(key, nil)
		if err != nil {
			return dst, err
		}
		i := fieldNamed(t, string(name))
		switch {
		case i < 0:
			return dst, fmt.Errorf("an object with a field that %s does not have", A(t))
		case cells[i] != nil:
			return dst, fmt.Errorf("field %q occurs twice", t.Fields[i].Name)
		}
		cells[i] = cell
	}
	for i, f := range t.Fields {
		var err error
		if dst, err = p.parseElement(dst, f.Type, cells[i]); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

func fieldNamed(t *Type, name string) int {
	for i, f := range t.Fields {
		if f.Name == name {
			return i
		}
	}
	return -1
}

func (p TextParser) parseMap(dst []byte, t *Type, value []byte) ([]byte, error) {
	start, n := len(dst), 0
	dst = append(dst, 0, 0, 0, 0)
	parts := jsonline.NewParts(value)
	seen := map[string]bool{}
	for ; ; n++ {
		key, cell, more := parts.NextField()
		if !more {
			break
		}
		if string(cell) == "null" {
			return dst, fmt.Errorf("null in %s", A(t))
		}
		name, err := jsonline.Unquote(key, nil)
		if err != nil {
			return dst, err
		}
		at := len(dst)
		dst = append(dst, 0, 0, 0, 0)
		if dst, err = p(dst, t.Elems[0], name); err != nil {
			return dst, err
		}
		if seen[string(dst[at+4:])] {
			return dst, errTwice
		}
		seen[string(dst[at+4:])] = true
		binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
		if dst, err = p.parseElement(dst, t.Elems[1], cell); err != nil {
			return dst, err
		}
	}
	binary.BigEndian.PutUint32(dst[start:], uint32(n))
	return dst, nil
}
