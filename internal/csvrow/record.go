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
	return len(text) == 0 || string(text) == null || bytes.ContainsAny(text, ",\"\r\n") || mistaken(text)
}

// CheckNull refuses a null text that could not be told from the syntax.
func CheckNull(null string) error {
	if strings.ContainsAny(null, ",\"\r\n") {
		return errors.New("a null text must have no comma, quote or line break")
	}
	return nil
}

// Splitter cuts records into fields. It is used by one goroutine. The zero Splitter reads RFC 4180.
type Splitter struct {
	form   *Form
	fields []Field
	text   []byte // of quoted fields
	open   bool   // a quoted field goes on in the next line
	lines  int    // of the record
	quotes int    // in its last line, where there is doubt
	doubt  doubt
}

// NewSplitter returns a splitter for records of a form.
func NewSplitter(form *Form) Splitter { return Splitter{form: form} }

// Begin makes ready for a record.
func (s *Splitter) Begin() {
	s.open, s.lines, s.doubt = false, 0, doubt{}
	if s.form == nil {
		s.form = rfc4180
	}
}

// Open reports, given the next line of a record, whether the record goes on after
// it, because a quoted field is open. Only a quote at the beginning of a field
// opens one.
func (s *Splitter) Open(line []byte) bool {
	s.lines++
	if !s.open && bytes.IndexByte(line, s.form.quote) < 0 && (!s.form.bare || bytes.IndexByte(line, s.form.escape) < 0) {
		return false
	}
	if s.open = s.scan(line, s.open); s.doubt.kind != noDoubt {
		s.quotes = bytes.Count(line, []byte{s.form.quote})
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
	if need := s.form.room(len(rest)); cap(s.text) < need {
		s.text = make([]byte, 0, need) // grows no more, so that fields stay where they are
	}
	var bad error
	for {
		var f Field
		exact := false
		if f.Quoted = len(rest) > 0 && rest[0] == s.form.quote; f.Quoted {
			f.Text, exact = s.unquote(&rest)
		} else {
			f.Text = s.bare(&rest)
		}
		f, err := s.finish(f, exact)
		if bad == nil {
			bad = err
		}
		s.fields = append(s.fields, f)
		if len(rest) == 0 {
			return s.fields, bad
		}
		rest = rest[1:] // a separator: Open has seen that
	}
}

// room is how many bytes the texts of a record take at most, in all their stages.
func (f *Form) room(record int) int {
	n, text := record, record
	if f.latin1 {
		text = 2 * record
		n += text
	}
	if f.python {
		n += text
	}
	return n
}

// bare takes a field without quotes off rest.
func (s *Splitter) bare(rest *[]byte) []byte {
	field, _, more := s.form.bareField(*rest)
	if *rest = (*rest)[len(field):]; !more {
		*rest = nil
	}
	if !s.form.bare || bytes.IndexByte(field, s.form.escape) < 0 {
		return field
	}
	start := len(s.text)
	for i := 0; i < len(field); i++ {
		if field[i] == s.form.escape {
			i++ // not the last one: Open has seen that
		}
		s.text = append(s.text, field[i])
	}
	return s.text[start:]
}

// unquote takes a quoted field off rest. exact reports whether no bare separator is in it.
func (s *Splitter) unquote(rest *[]byte) (text []byte, exact bool) {
	start := len(s.text)
	b, doubles := (*rest)[1:], s.form.doubles()
	exact = true
	for {
		i := bytes.IndexAny(b, s.form.breaks)
		if doubles {
			i = bytes.IndexByte(b, s.form.quote)
		}
		if i < 0 { // cannot be: Open has seen where it closes
			*rest = nil
			return s.text[start:], exact
		}
		exact = exact && (!s.form.python || bytes.IndexByte(b[:i], s.form.separator) < 0)
		s.text = append(s.text, b[:i]...)
		c := b[i]
		b = b[i+1:]
		switch {
		case c == s.form.quote && (!doubles || len(b) == 0 || b[0] != c):
			*rest = b
			return s.text[start:], exact
		case len(b) == 0:
			continue // cannot be either
		case !doubles && !s.form.bare && b[0] != s.form.quote && b[0] != s.form.escape:
			s.text = append(s.text, c) // DSBulk takes such an escape for text
		}
		s.text = append(s.text, b[0])
		b = b[1:]
	}
}
