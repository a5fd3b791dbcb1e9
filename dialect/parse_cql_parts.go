package dialect

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/rxcql/rxcql/internal/codec"
)

// null takes a null off, where one of this type may stand: nothing, the dialect's Null, or what
// Python and CQL call it. What is a value of the type is no null: a 1, say, where that is the
// Null of the dialect.
func (c *literal) null(typ *Type) bool {
	c.blanks()
	end := strings.IndexAny(c.rest, ",]})")
	if end < 0 {
		return false
	}
	word := strings.TrimRight(c.rest[:end], " \t\r\n")
	if word != "" && (word != c.text.d.Null && !slices.Contains([]string{"None", "null", "NULL"}, word) || c.isValue(typ, word)) {
		return false
	}
	c.rest = c.rest[end:]
	return true
}

// isValue reports whether a word is a value, or begins one.
func (c *literal) isValue(typ *Type, word string) bool {
	switch typ.Kind {
	case codec.List, codec.Set, codec.Map, codec.Tuple, codec.UDT, codec.Vector:
		open, _ := brackets(typ)
		return word[0] == open
	case codec.Text, codec.Ascii:
		return word[0] == '\''
	}
	_, err := c.text.parseSingle(nil, typ, []byte(word))
	return err == nil || word[0] == '\''
}

// element adds the length and the bytes of a value.
func (c *literal) element(dst []byte, typ *Type, key byte) ([]byte, error) {
	start := len(dst)
	dst, err := c.value(append(dst, 0, 0, 0, 0), typ, key)
	if err != nil {
		return dst, err
	}
	n := len(dst) - start - 4
	if n > math.MaxInt32 {
		return dst, codec.ErrRange
	}
	binary.BigEndian.PutUint32(dst[start:], uint32(n))
	return dst, nil
}

// late adds an element that may be null.
func (c *literal) late(dst []byte, typ *Type) ([]byte, error) {
	if c.null(typ) {
		return append(dst, 0xff, 0xff, 0xff, 0xff), nil
	}
	return c.element(dst, typ, 0)
}

// list calls next for each element between two brackets.
func (c *literal) list(open, end byte, next func(i int) error) error {
	if !c.take(open) {
		return errBracket
	}
	for i := 0; ; i++ {
		if i == 0 && c.take(end) {
			return nil
		}
		if err := next(i); err != nil {
			return err
		}
		if c.take(end) {
			return nil
		}
		if !c.take(',') {
			return errBracket
		}
	}
}

// many reads a list, a set or a map.
func (c *literal) many(dst []byte, typ *Type, open, end byte) ([]byte, error) {
	start, n := len(dst), 0
	dst = append(dst, 0, 0, 0, 0)
	seen := map[string]bool{}
	err := c.list(open, end, func(int) (err error) {
		if n++; typ.Kind != codec.Map {
			if c.null(typ.Elems[0]) {
				return errNull
			}
			dst, err = c.element(dst, typ.Elems[0], 0)
			return err
		}
		at := len(dst)
		if dst, err = c.element(dst, typ.Elems[0], ':'); err != nil {
			return err
		}
		key := string(dst[at:])
		switch {
		case seen[key]:
			return errTwice
		case !c.take(':'):
			return errBracket
		case c.null(typ.Elems[1]):
			return errNull
		}
		seen[key] = true
		dst, err = c.element(dst, typ.Elems[1], 0)
		return err
	})
	binary.BigEndian.PutUint32(dst[start:], uint32(n))
	return dst, err
}

func (c *literal) tuple(dst []byte, typ *Type) ([]byte, error) {
	n := 0
	err := c.list('(', ')', func(i int) (err error) {
		if n++; i >= len(typ.Elems) {
			return fmt.Errorf("more than %d elements", len(typ.Elems))
		}
		dst, err = c.late(dst, typ.Elems[i])
		return err
	})
	if err == nil && n != len(typ.Elems) && (n != 0 || len(typ.Elems) != 1) {
		err = fmt.Errorf("%d elements, not %d", n, len(typ.Elems))
	} else if err == nil && n == 0 { // () is a tuple of one null
		dst = append(dst, 0xff, 0xff, 0xff, 0xff)
	}
	return dst, err
}

func (c *literal) vector(dst []byte, typ *Type) ([]byte, error) {
	n, packed := 0, typ.Elems[0].PackedLen()
	err := c.list('[', ']', func(int) (err error) {
		if n++; c.null(typ.Elems[0]) {
			return errNull
		}
		if packed > 0 {
			dst, err = c.value(dst, typ.Elems[0], 0)
			return err
		}
		cell, err := c.value(nil, typ.Elems[0], 0)
		dst = append(codec.AppendVint(dst, uint64(len(cell))), cell...)
		return err
	})
	if err == nil && n != typ.Dim {
		err = fmt.Errorf("%d elements, not %d", n, typ.Dim)
	}
	return dst, err
}

// fields reads a user-defined type. Fields that are not named are null.
func (c *literal) fields(dst []byte, typ *Type) ([]byte, error) {
	cells := make([][]byte, len(typ.Fields))
	err := c.list('{', '}', func(int) (err error) {
		i := c.field(typ)
		if i < 0 {
			return errors.New("a field that the type does not have")
		}
		if cells[i] != nil {
			return fmt.Errorf("field %q occurs twice", typ.Fields[i].Name)
		}
		cells[i], err = c.late([]byte{}, typ.Fields[i].Type)
		return err
	})
	for _, cell := range cells {
		if cell == nil {
			cell = []byte{0xff, 0xff, 0xff, 0xff}
		}
		dst = append(dst, cell...)
	}
	return dst, err
}

// field takes the name of a field and the colon behind it off; -1 if there is none. cqlsh writes
// the name without quotes, whatever is in it; in single or double quotes it is read too. Of two
// names that fit the longer one is meant.
func (c *literal) field(typ *Type) int {
	c.blanks()
	best, rest := -1, ""
	for i, f := range typ.Fields {
		for _, name := range []string{
			f.Name, "'" + strings.ReplaceAll(f.Name, "'", "''") + "'", `"` + strings.ReplaceAll(f.Name, `"`, `""`) + `"`,
		} {
			after, found := strings.CutPrefix(c.rest, name)
			after, colon := strings.CutPrefix(strings.TrimLeft(after, " "), ":")
			if found && colon && (best < 0 || len(after) < len(rest)) {
				best, rest = i, after
			}
		}
	}
	if best >= 0 {
		c.rest = rest
	}
	return best
}
