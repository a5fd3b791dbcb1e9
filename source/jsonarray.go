package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/lines"
)

// JSONArray reads a file that is one JSON array, element by element, in order: what programs export
// that do not write an object a line. What NDJSON says of T, of options, of rows that fail, of
// memory and of jobs holds here too, with elements for lines; MaxLine is the most bytes of an
// element.
//
// An element that is not valid JSON, or does not fit T, is a row that failed, named by the line on
// which it begins, if it is certain where it ends: its brackets close, and a comma or the end of
// the array follows. Otherwise the stream ends under every policy. So it does if the array has no
// end, or if something follows it.
func JSONArray[T any](path string, opts ...NDJSONOption) rxcql.Stream[T] {
	cfg, format, err := newJSON[T](opts, true)
	return fileSource("JSON", path, cfg, format, err)
}

// JSONArrayReader reads one JSON array from what open gives; see JSONArray and NDJSONReader.
func JSONArrayReader[T any](name string, open Open, opts ...NDJSONOption) rxcql.Stream[T] {
	cfg, format, err := newJSON[T](opts, true)
	return readerSource("JSON", name, open, cfg, format, err)
}

// JSONArrayFiles reads files that are one JSON array each; see JSONArray and CSVFiles.
func JSONArrayFiles[T any](patterns []string, opts ...NDJSONOption) rxcql.Stream[T] {
	cfg, format, err := newJSON[T](opts, true)
	return filesSource("JSON", patterns, cfg, format, err)
}

// jsonElements splits a file into the elements of one array. What comes next is seen from what was
// accepted last, so that a job can go on anywhere.
type jsonElements[T any] struct{ fileFormat[T] }

// elements marks the format as one whose records are not lines.
func (jsonElements[T]) elements() {}

var (
	errNoArray  = fmt.Errorf("%w: the file is not one JSON array; if it has one value a line, read it with NDJSON", rxcql.ErrSchema)
	errCutArray = errors.New("the JSON array has no end: the file is cut off, so nothing more is read")
	errAfter    = errors.New("something follows the JSON array")
	errComma    = errors.New("between two elements of the JSON array is no comma, so it cannot be told where the next one begins; nothing more is read")
)

func (j jsonElements[T]) begin(in *lines.Reader) ([]rxcql.Fact, error) {
	facts, err := j.fileFormat.begin(in)
	if err != nil {
		return nil, err
	}
	err = blanks(in)
	if err == nil {
		var c byte
		if c, err = char(in); err == nil && c != '[' {
			err = errNoArray
		}
	}
	if errors.Is(cut(err), errCutArray) {
		err = errNoArray
	}
	if err != nil {
		return nil, err
	}
	in.Accept()
	return append(facts, rxcql.Fact{Name: "form", Value: "one JSON array"}), nil
}

// blanks accepts blanks.
func blanks(in *lines.Reader) error {
	_, err := in.Scan(func(c byte) (end, keep bool) { return c > ' ' || !bytes.ContainsRune([]byte(" \t\r\n"), rune(c)), true })
	if err == nil {
		in.Accept()
	}
	return err
}

// char reads one character, and leaves it to be accepted.
func char(in *lines.Reader) (byte, error) {
	record, err := in.Scan(func(byte) (end, keep bool) { return true, false })
	if err != nil {
		return 0, err
	}
	return record[0], nil
}

func (j jsonElements[T]) record(in *lines.Reader) ([]byte, error) {
	before := bytes.TrimRight(in.Before(), " \t\r\n")
	last := byte(',')
	if len(before) > 0 {
		last = before[len(before)-1]
	}
	if last != '[' && last != ',' {
		c, err := nextChar(in)
		switch {
		case err != nil:
			return nil, err
		case c == ']':
			return nil, ended(in)
		case c != ',':
			return nil, errComma
		}
		in.Accept()
	}
	if err := blanks(in); err != nil {
		return nil, cut(err)
	}
	var e element
	record, err := in.Scan(e.next)
	switch {
	case err != nil:
		return nil, cut(err)
	case len(record) == 0 && last == '[': // ends before it begins
		if c, err := char(in); err != nil || c != ']' {
			return nil, errors.Join(errComma, err)
		}
		return nil, ended(in)
	case e.broken, len(record) == 0:
		return nil, errComma
	}
	return record, nil
}

func nextChar(in *lines.Reader) (byte, error) {
	err := blanks(in)
	if err != nil {
		return 0, cut(err)
	}
	c, err := char(in)
	return c, cut(err)
}

func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) && !readFailed(err) {
		return errCutArray
	}
	return err
}

// ended returns io.EOF if only blanks follow the array. The bracket is not accepted, so that a job
// that goes on here finds it again.
func ended(in *lines.Reader) error {
	record, err := in.Scan(func(c byte) (end, keep bool) { return c > ' ', false })
	switch {
	case err == nil && len(record) > 0:
		return errAfter
	case errors.Is(err, io.ErrUnexpectedEOF) && !readFailed(err):
		return io.EOF
	}
	return err
}

// element finds the end of an element, without a look at what else is in it.
type element struct {
	open           []byte // brackets
	text, escaped  bool
	broken, scalar bool
}

// next takes a character, and reports whether the element ends with it, or, with keep, before it.
func (e *element) next(c byte) (end, keep bool) {
	switch {
	case e.escaped:
		e.escaped = false
		return false, false
	case e.text:
		e.escaped = c == '\\'
		if e.text = c != '"'; e.text || len(e.open) > 0 {
			return false, false
		}
		return true, false
	case e.scalar:
		return bytes.IndexByte([]byte(",]} \t\r\n"), c) >= 0, true
	}
	switch c {
	case '"':
		e.text = true
	case '{', '[':
		e.open = append(e.open, c)
	case '}', ']':
		if len(e.open) == 0 {
			return true, true
		}
		if e.broken = e.open[len(e.open)-1]+2 != c; e.broken {
			return true, false
		}
		e.open = e.open[:len(e.open)-1]
		return len(e.open) == 0, false
	default:
		if len(e.open) == 0 {
			if c == ',' {
				return true, true
			}
			e.scalar = true
		}
	}
	return false, false
}

var _ fileFormat[rxcql.Row] = jsonElements[rxcql.Row]{}

// withElements has a format read the elements of an array.
func withElements[T any](of format[T]) format[T] {
	return func(ctx context.Context, cfg fileConfig) fileFormat[T] { return jsonElements[T]{of(ctx, cfg)} }
}
