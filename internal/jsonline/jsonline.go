// Package jsonline writes and reads single values of JSON by encoding/json. Two
// things that it passes over are errors here: text that is not UTF-8, which
// would be changed, and what a Go value has no field for. Errors hold no values.
package jsonline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/rxcql/rxcql/internal/codec"
)

// Errors of both directions.
var (
	ErrNotUTF8 = errors.New("text that is not UTF-8 has no JSON; use []byte")
	ErrSyntax  = errors.New("not valid JSON")
	ErrUnfit   = errors.New("the JSON does not fit the Go type")
)

// Append writes v, with no line break in it.
func Append(dst []byte, v any) ([]byte, error) {
	w := appender{dst}
	enc := json.NewEncoder(&w)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return dst, &hidden{"it cannot be written as JSON", err}
	}
	out := w.buf[:len(w.buf)-1] // Encode ends the line
	if replaced(out[len(dst):]) {
		return dst, ErrNotUTF8
	}
	return out, nil
}

type appender struct{ buf []byte }

func (w *appender) Write(b []byte) (int, error) {
	w.buf = append(w.buf, b...)
	return len(b), nil
}

// replaced tells whether encoding/json has put its escaped U+FFFD in the place of
// bytes that are not UTF-8. A U+FFFD in the text itself it does not escape.
func replaced(out []byte) bool {
	for at := 0; ; at++ {
		i := bytes.Index(out[at:], []byte(`\ufffd`))
		if i < 0 {
			return false
		}
		at += i
		before := out[:at]
		if slashes := len(before) - len(bytes.TrimRight(before, `\`)); slashes%2 == 0 {
			return true
		}
	}
}

// Read reads the one value that text is into the pointer v. Numbers in an any
// are json.Number, so that none is rounded. With loose, fields of objects that v
// has none for are passed over.
func Read(text []byte, v any, loose bool) error {
	if !utf8.Valid(text) {
		return fmt.Errorf("%w: it is not UTF-8", ErrSyntax)
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	if !loose {
		dec.DisallowUnknownFields()
	}
	if err := dec.Decode(v); err != nil {
		return describe(err)
	}
	if rest := text[dec.InputOffset():]; len(bytes.TrimLeft(rest, " \t\r\n")) > 0 {
		return fmt.Errorf("%w: something follows the value, from byte %d on", ErrSyntax, dec.InputOffset()+1)
	}
	return nil
}

// describe says what is wrong without the text that is.
func describe(err error) error {
	var syntax *json.SyntaxError
	var unfit *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("%w: from byte %d on", ErrSyntax, syntax.Offset)
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return fmt.Errorf("%w: it ends too early", ErrSyntax)
	case errors.As(err, &unfit):
		kind, _, _ := strings.Cut(unfit.Value, " ")
		where := ""
		if unfit.Field != "" {
			where = fmt.Sprintf("field %s: ", unfit.Field)
		}
		return fmt.Errorf("%w: %sa JSON %s for %s (or out of its range)", ErrUnfit, where, kind, codec.A(unfit.Type))
	case strings.HasPrefix(err.Error(), "json: unknown field "):
		return fmt.Errorf("%w: %s", ErrUnfit, strings.TrimPrefix(err.Error(), "json: "))
	}
	return &hidden{"it cannot be read from JSON", err}
}

// hidden keeps back the text of an error that may hold a value; errors.Is and
// errors.As reach it.
type hidden struct {
	what string
	err  error
}

func (e *hidden) Error() string {
	return fmt.Sprintf("%s (%T; unwrap it to see its text, which may hold the value)", e.what, e.err)
}

func (e *hidden) Unwrap() error { return e.err }
