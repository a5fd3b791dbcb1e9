package csvrow

import (
	"bytes"
	"errors"
	"unicode/utf8"
)

// ErrEscape: a field has a backslash that cqlsh does not write.
var ErrEscape = errors.New(`a backslash stands where cqlsh's COPY TO writes none: the file comes from another program, ` +
	`or from cqlsh on Python before 3.10, which loses backslashes; if it was made for COPY FROM, read it with Escapes set to EscapesNone`)

// finish turns a field without its quotes and escapes into UTF-8 text.
func (s *Splitter) finish(f Field, exact bool) (Field, error) {
	if s.form.latin1 && !ascii(f.Text) {
		start := len(s.text)
		s.text = FromLatin1(s.text, f.Text)
		f.Text = s.text[start:]
	}
	if s.form.python && !exact && bytes.IndexByte(f.Text, '\\') >= 0 { // which names characters, not bytes
		start := len(s.text)
		var ok bool
		if s.text, ok = unescapePython(s.text, f.Text); !ok {
			return f, ErrEscape
		}
		f.Text = s.text[start:]
	}
	return f, nil
}

// FromLatin1 adds a text in ISO 8859-1 to dst, in UTF-8.
func FromLatin1(dst, text []byte) []byte {
	for _, c := range text {
		dst = utf8.AppendRune(dst, rune(c))
	}
	return dst
}

func ascii(text []byte) bool {
	for _, c := range text {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// unescapePython undoes what cqlsh does to a text (format_value_text in its formatting.py): \\, and
// for a character of [\x00-\x1f\x7f-\xa0] what Python's repr writes.
func unescapePython(dst, text []byte) (out []byte, ok bool) {
	for {
		i := bytes.IndexByte(text, '\\')
		if i < 0 {
			return append(dst, text...), true
		}
		if dst = append(dst, text[:i]...); i+1 == len(text) {
			return dst, false
		}
		c := text[i+1]
		text = text[i+2:]
		switch c {
		case '\\':
			dst = append(dst, c)
		case 'n':
			dst = append(dst, '\n')
		case 'r':
			dst = append(dst, '\r')
		case 't':
			dst = append(dst, '\t')
		case 'x':
			if len(text) < 2 {
				return dst, false
			}
			r, ok := hexByte(text[0], text[1])
			if !ok || r >= ' ' && r < 0x7f || r > 0xa0 {
				return dst, false
			}
			dst, text = utf8.AppendRune(dst, r), text[2:]
		default:
			return dst, false
		}
	}
}

func hexByte(high, low byte) (r rune, ok bool) {
	for _, c := range []byte{high, low} {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
