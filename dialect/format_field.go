package dialect

import (
	"bytes"
	"errors"
	"unicode/utf8"
)

// AppendNull adds the field of a null.
func (t *Text) AppendNull(dst []byte) []byte { return append(dst, t.d.Null...) }

// AppendField adds the field of a text that is not null: in quotes if it needs them, if it would be
// taken for null without, or if it is empty. The text is in UTF-8 and so is the field: see Encode.
func (t *Text) AppendField(dst, text []byte) []byte {
	d := &t.d
	if !t.needsQuotes(text) {
		return append(dst, text...)
	}
	// A field in quotes with a bare separator in it is read with escapes of Python: see
	// EscapesPython. A backslash in the text must not be one.
	all := d.Escapes == EscapesPython && bytes.IndexByte(text, '\\') >= 0
	dst = append(dst, d.Quote)
	for _, c := range text {
		if c == d.Quote || c == d.Escape || all && c == d.Separator {
			dst = append(dst, d.Escape)
		}
		dst = append(dst, c)
	}
	return append(dst, d.Quote)
}

func (t *Text) needsQuotes(text []byte) bool {
	d := &t.d
	if len(text) == 0 || string(text) == d.Null || string(text) == d.VectorNull {
		return true
	}
	for _, c := range text {
		if c == d.Separator || c == d.Quote || c == '\n' || c == '\r' || c == d.Escape && d.EscapeBare {
			return true
		}
	}
	return false
}

var errNotLatin1 = errors.New("a character that ISO 8859-1 does not have; write the file in UTF-8")

// Encode turns UTF-8, from an index of buf on, into the encoding of the dialect, in place. The error
// says that a character cannot be written, and not which.
func (t *Text) Encode(buf []byte, from int) ([]byte, error) {
	if t.d.Encoding == UTF8 {
		return buf, nil
	}
	to := from
	for at := from; at < len(buf); {
		c := buf[at]
		size := 1
		if c >= utf8.RuneSelf {
			var r rune
			if r, size = utf8.DecodeRune(buf[at:]); r > 0xff || size == 1 {
				return buf, errNotLatin1
			}
			c = byte(r)
		}
		buf[to] = c
		to++
		at += size
	}
	return buf[:to], nil
}
