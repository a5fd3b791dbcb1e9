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

// Errors of collections as CQL writes them. They do not hold the text.
var (
	errBracket = errors.New("a bracket is missing, or text follows the last one")
	errUnquote = errors.New("text that is not in single quotes, or a quote that is not closed")
	errNull    = errors.New("null where there can be none")
	errTwice   = errors.New("a key occurs twice")
)

// parseCQL reads a value that consists of others, such as {'a': [1, 2]}, as cqlsh writes it.
func (t *Text) parseCQL(dst []byte, typ *Type, text []byte) ([]byte, error) {
	c := &literal{text: t, rest: string(text)}
	dst, err := c.value(dst, typ, 0)
	if c.blanks(); err == nil && c.rest != "" {
		err = errBracket
	}
	if err != nil {
		err = fmt.Errorf("%w: %s is needed, as cqlsh writes it", err, codec.A(typ))
	}
	return dst, err
}

// literal is what is left of a text. The types say what is to come.
type literal struct {
	text *Text
	rest string
}

func (c *literal) blanks() { c.rest = strings.TrimLeft(c.rest, " \t\r\n") }

// take takes a character off, behind blanks.
func (c *literal) take(char byte) bool {
	if c.blanks(); c.rest == "" || c.rest[0] != char {
		return false
	}
	c.rest = c.rest[1:]
	return true
}

// value adds the bytes of a value that is not null. key is ':' for the key of a map, which a colon
// ends, else 0.
func (c *literal) value(dst []byte, typ *Type, key byte) ([]byte, error) {
	c.blanks()
	switch typ.Kind {
	case codec.List:
		return c.many(dst, typ, '[', ']')
	case codec.Set:
		return c.many(dst, typ, '{', '}')
	case codec.Map:
		return c.many(dst, typ, '{', '}')
	case codec.Tuple:
		return c.tuple(dst, typ)
	case codec.Vector:
		return c.vector(dst, typ)
	case codec.UDT:
		return c.fields(dst, typ)
	}
	single, quoted, err := c.single(typ, key)
	switch {
	case err != nil:
		return dst, err
	case !quoted && (typ.Kind == codec.Text || typ.Kind == codec.Ascii):
		return dst, errUnquote
	}
	return c.text.parseSingle(dst, typ, []byte(single))
}

// single takes the text of a value off that has no brackets: in single quotes, or up to what ends
// it.
func (c *literal) single(typ *Type, key byte) (text string, quoted bool, err error) {
	if c.take('\'') {
		for at := 0; ; at += 2 {
			i := strings.IndexByte(c.rest[min(at, len(c.rest)):], '\'')
			if i < 0 {
				return "", true, errUnquote
			}
			at += i
			if !strings.HasPrefix(c.rest[at+1:], "'") {
				text, c.rest = c.rest[:at], c.rest[at+1:]
				return strings.ReplaceAll(text, "''", "'"), true, nil
			}
		}
	}
	ends := ",]})"
	if key != 0 {
		ends += string([]byte{key})
	}
	end := strings.IndexAny(c.rest, ends)
	if key == ':' && typ.Kind == codec.Time { // cqlsh writes it without quotes, and it has two colons
		end = nthColon(c.rest, 3)
	}
	if end < 0 {
		return "", false, errBracket
	}
	text, c.rest = strings.TrimRight(c.rest[:end], " \t\r\n"), c.rest[end:]
	return text, false, nil
}

func nthColon(s string, n int) int {
	for i := range len(s) {
		if s[i] == ':' {
			if n--; n == 0 {
				return i
			}
		}
	}
	return -1
}

// null takes a null off, which a tuple or a user-defined type may have: nothing, the dialect's
// Null, or what Python and CQL call it.
func (c *literal) null() bool {
	c.blanks()
	end := strings.IndexAny(c.rest, ",]})")
	if end < 0 {
		return false
	}
	word := strings.TrimRight(c.rest[:end], " \t\r\n")
	if word != c.text.d.Null && !slices.Contains([]string{"", "None", "null", "NULL"}, word) {
		return false
	}
	c.rest = c.rest[end:]
	return true
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
	if c.null() {
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
			if c.null() {
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
		case c.null():
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
		if n++; c.null() {
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
