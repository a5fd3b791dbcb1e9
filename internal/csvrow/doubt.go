package csvrow

import "bytes"

// doubt is the first quote of a record in a place where its form has none, or an escape before the
// end of a line that no quotes enclose. The question is where
// the record ends. If the quote is a character of the text (a writer that does not quote, `5"
// pipe`), the record ends with its line. If something before the quote was damaged, the quote may
// begin a quoted field or be inside one; then the record ends later, and lines that look like rows
// are text.
type doubt struct {
	kind    doubtKind
	rest    []byte // of its line, behind that quote
	escaped bool   // a backslash stands before it
}

type doubtKind uint8

const (
	noDoubt     doubtKind = iota
	bareQuote             // in a field that is not quoted
	textFollows           // behind a quoted field comes neither a comma nor the line's end
)

// scan walks one line by fields, and reports whether a quoted field is open at its end. open says
// whether one is open at its beginning.
func (s *Splitter) scan(line []byte, open bool) bool {
	if !open && line[0] == s.form.quote {
		open, line = true, line[1:]
	}
	for {
		if open {
			closed := s.form.closing(line)
			if closed < 0 {
				return true
			}
			before := line[:closed-1]
			open, line = false, line[closed:]
			if !s.form.fieldEnds(line) {
				s.doubtful(textFollows, before, line)
			}
		}
		field, rest, more := s.form.bareField(line)
		if i := s.form.strayQuote(field); i >= 0 {
			s.doubtful(bareQuote, field[:i], line[i+1:])
		}
		if !more {
			return false
		}
		if line = rest; len(line) > 0 && line[0] == s.form.quote {
			open, line = true, line[1:]
		}
	}
}

func (s *Splitter) doubtful(kind doubtKind, before, rest []byte) {
	if s.doubt.kind == noDoubt {
		s.doubt = doubt{kind, rest, bytes.HasSuffix(before, []byte{'\\'})}
	}
}

// EndIsCertain reports whether a record for which Split returned ErrQuote certainly ends at its
// line. ahead passes the lines that follow to its function, until that has seen enough or there are
// no more lines.
//
// The end is not certain for a record of several lines, or if quotes seem to be escaped in another
// way. For a record of one line, suppose that the quote in question is inside a quoted field or
// begins one. If a later line closes that field as a writer closes it, before a comma or the end of
// the line, the end is not certain. If no later quote can close it, the end is certain.
func (s *Splitter) EndIsCertain(ahead func(look func(line []byte) (more bool)) error) (bool, error) {
	if s.open || s.lines > 1 || s.doubt.kind == noDoubt || s.doubt.escaped {
		return false, nil
	}
	if s.doubt.kind == textFollows && s.form.doubles() && s.quotes%2 == 1 {
		s.doubt.rest = nil // that quote may be half of a doubled one, so any later one of the line too
	}
	switch s.closes(s.doubt.rest) {
	case closedHere, neverOpen:
		return true, nil
	case openAgain:
		return false, nil
	}
	certain := true
	err := ahead(func(line []byte) bool {
		switch s.closes(line) {
		case notClosed:
			return true
		case neverOpen:
		default:
			certain = false
		}
		return false
	})
	return certain, err
}

// Escaped reports whether the quote in question has a backslash before it.
func (s *Splitter) Escaped() bool { return s.doubt.escaped }

// ending is what a line means for a quoted field that is taken to be open.
type ending uint8

const (
	notClosed  ending = iota
	closedHere        // and the line ends outside of quotes
	openAgain         // closed, and another one is open at the line's end
	neverOpen         // a quote stands in it that no writer would leave so: it was not open
)

func (s *Splitter) closes(line []byte) ending {
	for {
		closed := s.form.closing(line)
		if closed < 0 {
			return notClosed
		}
		if line = line[closed:]; s.form.fieldEnds(line) {
			break
		}
		if s.doubt.kind == bareQuote {
			return neverOpen
		}
		// A quoted field did begin here, so a quote that is not doubled does not
		// disprove it: there was one already.
	}
	again := Splitter{form: s.form}
	if len(trimEnd(line)) > 0 && again.scan(line, false) {
		return openAgain
	}
	return closedHere
}
