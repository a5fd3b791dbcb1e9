package csvrow

import (
	"bytes"
	"errors"
	"strings"
)

// Errors of Split.
var (
	ErrOpenQuote = errors.New("a quoted field is not closed")
	ErrQuote     = errors.New("a quote stands in a field that is not quoted, or text follows a quoted field")
)

// Field is one field of a record.
type Field struct {
	Text   []byte
	Quoted bool
}

// Null reports whether the field is null, which is written as the text null.
func (f Field) Null(null string) bool { return !f.Quoted && string(f.Text) == null }

// AppendField writes a field's text, in quotes where it needs them or is the null
// text, or is empty: a record of one empty field would be an empty line.
func AppendField(dst, text []byte, null string) []byte {
	if !needsQuotes(text, null) {
		return append(dst, text...)
	}
	dst = append(dst, '"')
	for {
		i := bytes.IndexByte(text, '"')
		if i < 0 {
			break
		}
		dst = append(append(dst, text[:i]...), `""`...)
		text = text[i+1:]
	}
	return append(append(dst, text...), '"')
}

func needsQuotes(text []byte, null string) bool {
	return len(text) == 0 || string(text) == null || bytes.ContainsAny(text, ",\"\r\n")
}

// CheckNull refuses a null text that could not be told from the syntax.
func CheckNull(null string) error {
	if strings.ContainsAny(null, ",\"\r\n") {
		return errors.New("a null text must have no comma, quote or line break")
	}
	return nil
}

// Splitter cuts records into fields. It is used by one goroutine.
type Splitter struct {
	fields []Field
	text   []byte // of quoted fields
	open   bool   // a quoted field goes on in the next line
	lines  int    // of the record
	quotes int    // in its last line, where there is doubt
	doubt  doubt
}

// Begin makes ready for a record.
func (s *Splitter) Begin() { s.open, s.lines, s.doubt = false, 0, doubt{} }

// Open reports, given the next line of a record, whether the record goes on after
// it, because a quoted field is open. Only a quote at the beginning of a field
// opens one.
func (s *Splitter) Open(line []byte) bool {
	s.lines++
	if !s.open && bytes.IndexByte(line, '"') < 0 {
		return false
	}
	if s.open = s.scan(line, s.open); s.doubt.kind != noDoubt {
		s.quotes = bytes.Count(line, []byte{'"'})
	}
	return s.open
}

// Blank reports whether a record is an empty line.
func Blank(record []byte) bool { return len(trimEnd(record)) == 0 }

func trimEnd(record []byte) []byte {
	record = bytes.TrimSuffix(record, []byte{'\n'})
	return bytes.TrimSuffix(record, []byte{'\r'})
}

// Split cuts a record, all lines of which were given to Open, with its line's end
// or without, into fields, which are valid until the next call.
func (s *Splitter) Split(record []byte) ([]Field, error) {
	switch {
	case s.doubt.kind != noDoubt:
		return nil, ErrQuote
	case s.open:
		return nil, ErrOpenQuote
	}
	rest := trimEnd(record)
	s.fields, s.text = s.fields[:0], s.text[:0]
	if cap(s.text) < len(rest) {
		s.text = make([]byte, 0, len(rest)) // grows no more, so that fields stay where they are
	}
	for {
		var f Field
		if len(rest) > 0 && rest[0] == '"' {
			f = Field{Text: s.unquote(&rest), Quoted: true}
		} else {
			end := bytes.IndexByte(rest, ',')
			if end < 0 {
				end = len(rest)
			}
			f = Field{Text: rest[:end]}
			rest = rest[end:]
		}
		s.fields = append(s.fields, f)
		if len(rest) == 0 {
			return s.fields, nil
		}
		rest = rest[1:] // a comma: Open has seen that
	}
}

// unquote takes a quoted field off rest.
func (s *Splitter) unquote(rest *[]byte) []byte {
	start := len(s.text)
	b := (*rest)[1:]
	for {
		i := bytes.IndexByte(b, '"')
		if i < 0 { // cannot be: Open has seen where it closes
			*rest = nil
			return s.text[start:]
		}
		s.text = append(s.text, b[:i]...)
		b = b[i+1:]
		if len(b) == 0 || b[0] != '"' {
			*rest = b
			return s.text[start:]
		}
		s.text = append(s.text, '"')
		b = b[1:]
	}
}
