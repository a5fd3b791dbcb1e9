package csvrow

import (
	"bytes"
	"errors"

	"github.com/rxcql/rxcql/dialect"
)

// Form is how records are spelled. It is not changed after it is made.
type Form struct {
	separator, quote, escape byte
	bare                     bool // escape has a meaning outside of quotes
	python                   bool // see dialect.EscapesPython
	latin1                   bool
	null                     string
	nullText                 string // null in the encoding of the file
	syntax                   string // characters that a field without quotes must not have
	breaks                   string // those that end a look for the end of a quoted field
}

// FormOf returns the form of a dialect, which must be valid.
func FormOf(d dialect.Dialect) *Form {
	f := &Form{
		separator: d.Separator, quote: d.Quote, escape: d.Escape, bare: d.EscapeBare,
		python: d.Escapes == dialect.EscapesPython, latin1: d.Encoding == dialect.Latin1, null: d.Null,
	}
	f.nullText = string(f.Encode(nil, d.Null))
	f.syntax = string([]byte{f.separator, f.quote, '\r', '\n'})
	if f.breaks = string([]byte{f.quote}); !f.doubles() {
		f.breaks += string([]byte{f.escape})
	}
	if f.bare {
		f.syntax += string([]byte{f.escape})
	}
	return f
}

// rfc4180 is the form of a Splitter that was given none.
var rfc4180 = FormOf(dialect.RFC4180())

// doubles reports whether a quote in a quoted field is doubled.
func (f *Form) doubles() bool { return f.escape == f.quote }

// closing finds the first byte behind the quote that closes a field; -1 if there is none.
func (f *Form) closing(text []byte) int {
	for at := 0; ; {
		i := bytes.IndexAny(text[at:], f.breaks)
		if f.doubles() {
			i = bytes.IndexByte(text[at:], f.quote)
		}
		if i < 0 {
			return -1
		}
		at += i + 1
		switch {
		case f.doubles() && (at == len(text) || text[at] != f.quote), !f.doubles() && text[at-1] == f.quote:
			return at
		case at == len(text): // an escaped line break
			return -1
		}
		at++
	}
}

// fieldEnds reports whether what comes behind a quoted field may come there.
func (f *Form) fieldEnds(rest []byte) bool { return len(trimEnd(rest)) == 0 || rest[0] == f.separator }

// bareField cuts a field without quotes off the front of a line. more reports whether a separator
// comes behind it.
func (f *Form) bareField(line []byte) (field, rest []byte, more bool) {
	if !f.bare {
		return bytes.Cut(line, []byte{f.separator})
	}
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case f.escape:
			i++
		case f.separator:
			return line[:i], line[i+1:], true
		}
	}
	return line, nil, false
}

// strayQuote finds the first quote of a field without quotes that is not escaped, or an escape
// before the end of the line; -1 if there is none.
func (f *Form) strayQuote(field []byte) int {
	if !f.bare {
		return bytes.IndexByte(field, f.quote)
	}
	for i := 0; i < len(field); i++ {
		switch field[i] {
		case f.quote:
			return i
		case f.escape:
			if len(trimEnd(field[i+1:])) == 0 {
				return i
			}
			i++
		}
	}
	return -1
}

// Append writes a field's text in UTF-8, in quotes where it needs them or is the null text, or
// is empty: a record of one empty field would be an empty line. So is text with which a file
// would seem to be of another kind. The error is ErrNotLatin1.
func (f *Form) Append(dst, text []byte) ([]byte, error) {
	start := len(dst)
	switch {
	case len(text) > 0 && string(text) != f.null && !bytes.ContainsAny(text, f.syntax) && !mistaken(text):
		dst = append(dst, text...)
	case f.doubles():
		dst = append(dst, f.quote)
		for _, c := range text {
			if c == f.quote {
				dst = append(dst, c)
			}
			dst = append(dst, c)
		}
		dst = append(dst, f.quote)
	default:
		exact := f.python && bytes.IndexByte(text, '\\') >= 0
		dst = append(dst, f.quote)
		for _, c := range text {
			if c == f.quote || c == f.escape || exact && c == f.separator {
				dst = append(dst, f.escape)
			}
			dst = append(dst, c)
		}
		dst = append(dst, f.quote)
	}
	if !f.latin1 {
		return dst, nil
	}
	return toLatin1(dst, start)
}

// AppendNull writes null.
func (f *Form) AppendNull(dst []byte) []byte { return append(dst, f.nullText...) }

// Encode adds a text as it is, in the encoding of the file, which must have its characters.
func (f *Form) Encode(dst []byte, text string) []byte {
	start := len(dst)
	if dst = append(dst, text...); f.latin1 {
		dst, _ = toLatin1(dst, start)
	}
	return dst
}

// Separator is what stands between fields.
func (f *Form) Separator() byte { return f.separator }

// ErrNotLatin1: a text has a character that ISO 8859-1 does not have.
var ErrNotLatin1 = errors.New("a character that ISO 8859-1 does not have; write the file in UTF-8")

// toLatin1 writes what stands behind start, which is UTF-8, in ISO 8859-1.
func toLatin1(dst []byte, start int) ([]byte, error) {
	out := dst[:start]
	for _, r := range string(dst[start:]) {
		if r > 0xff {
			return dst[:start], ErrNotLatin1
		}
		out = append(out, byte(r))
	}
	return out, nil
}
