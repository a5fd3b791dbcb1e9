package jsonline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// Errors of values that are walked by Parts.
var (
	ErrSurrogate = errors.New("an escape \\u in it is half of a surrogate pair")
	errTwoValues = errors.New("something follows the value")
	errNoField   = errors.New("the field is empty, and not null, where JSON is needed")
)

// Check reports what is wrong with a text that is to be one value of JSON in
// UTF-8, such as Parts and Unquote walk.
func Check(text []byte) error {
	if utf8.Valid(text) && json.Valid(text) {
		return nil
	}
	var value json.RawMessage
	if err := Read(text, &value, true); err != nil {
		return err
	}
	return fmt.Errorf("%w: %w", ErrSyntax, errTwoValues)
}

// CheckField is Check for a field of CSV that is to be JSON. It knows the literals
// of CQL, which other tools write.
func CheckField(text []byte) error {
	if len(text) == 0 {
		return errNoField
	}
	err := Check(text)
	if trimmed := bytes.TrimSpace(text); err != nil && len(trimmed) > 1 {
		if string(trimmed) == "NULL" {
			return fmt.Errorf("%w; if this stands for null, give NullText", err)
		}
		switch after := skip(trimmed[1:]); {
		case trimmed[0] == '(', (trimmed[0] == '[' || trimmed[0] == '{') && len(after) > 0 && after[0] == '\'',
			trimmed[0] == '{' && len(after) > 0 && after[0] != '"' && after[0] != '}':
			return fmt.Errorf("%w; it looks like a literal of CQL, as cqlsh writes it, and JSON is needed", err)
		}
	}
	return err
}

// Parts walks an array or an object that is valid JSON.
type Parts struct {
	rest []byte
	more bool
}

// NewParts begins behind the bracket or brace that a value begins with.
func NewParts(value []byte) Parts {
	rest := skip(value[1:])
	return Parts{rest, rest[0] != ']' && rest[0] != '}'}
}

// Next gives the next element of an array.
func (p *Parts) Next() (value []byte, more bool) {
	if !p.more {
		return nil, false
	}
	value = p.rest[:end(p.rest)]
	p.rest = skip(p.rest[len(value):])
	if p.more = p.rest[0] == ','; p.more {
		p.rest = skip(p.rest[1:])
	}
	return value, true
}

// NextField gives the next key of an object, as a JSON string, and its value.
func (p *Parts) NextField() (key, value []byte, more bool) {
	if !p.more {
		return nil, nil, false
	}
	key = p.rest[:end(p.rest)]
	p.rest = skip(skip(p.rest[len(key):])[1:])
	value, _ = p.Next()
	return key, value, true
}

func skip(text []byte) []byte {
	for i, c := range text {
		if c != ' ' && c != '\t' && c != '\n' && c != '\r' {
			return text[i:]
		}
	}
	return nil
}

// end is the length of the value that a text begins with.
func end(text []byte) int {
	switch text[0] {
	case '"':
		return stringEnd(text)
	case '[', '{':
		depth := 0
		for i := 0; i < len(text); i++ {
			switch text[i] {
			case '"':
				i += stringEnd(text[i:]) - 1
			case '[', '{':
				depth++
			case ']', '}':
				if depth--; depth == 0 {
					return i + 1
				}
			}
		}
		return len(text)
	}
	for i, c := range text {
		switch c {
		case ',', ']', '}', ' ', '\t', '\n', '\r':
			return i
		}
	}
	return len(text)
}

func stringEnd(text []byte) int {
	for i := 1; ; i++ {
		k := bytes.IndexByte(text[i:], '"')
		if k < 0 {
			return len(text)
		}
		if i += k; text[i-1] != '\\' {
			return i + 1
		}
		slashes := i - 1
		for text[slashes] == '\\' {
			slashes--
		}
		if (i-slashes)%2 == 1 {
			return i + 1
		}
	}
}

// Unquote reads a string that is valid JSON in UTF-8. The result may be part of
// the text, or of buf.
func Unquote(text, buf []byte) ([]byte, error) {
	text = text[1 : len(text)-1]
	i := bytes.IndexByte(text, '\\')
	if i < 0 {
		return text, nil
	}
	buf = buf[:0]
	for ; i >= 0; i = bytes.IndexByte(text, '\\') {
		buf = append(buf, text[:i]...)
		c := text[i+1]
		text = text[i+2:]
		switch c {
		case 'b':
			c = '\b'
		case 'f':
			c = '\f'
		case 'n':
			c = '\n'
		case 'r':
			c = '\r'
		case 't':
			c = '\t'
		case 'u':
			r := hex4(text)
			text = text[4:]
			if utf16.IsSurrogate(r) {
				if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
					return nil, ErrSurrogate
				}
				if r = utf16.DecodeRune(r, hex4(text[2:])); r == utf8.RuneError {
					return nil, ErrSurrogate
				}
				text = text[6:]
			}
			buf = utf8.AppendRune(buf, r)
			continue
		}
		buf = append(buf, c)
	}
	return append(buf, text...), nil
}

func hex4(digits []byte) (r rune) {
	for _, c := range digits[:4] {
		switch {
		case c >= 'a':
			c -= 'a' - 10
		case c >= 'A':
			c -= 'A' - 10
		default:
			c -= '0'
		}
		r = r<<4 | rune(c)
	}
	return r
}
