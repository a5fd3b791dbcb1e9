package dialect

import (
	"errors"
	"fmt"
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
