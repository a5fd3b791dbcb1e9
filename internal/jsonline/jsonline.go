// Package jsonline writes and reads single values of JSON, in the form of encoding/json, by its
// successor json/v2, which reports what encoding/json loses silently. So these are errors here:
// text that is not UTF-8, a struct without exported fields, two fields or two keys of one name, and
// what a Go value has no field for. Methods of a pointer are called wherever the value stands, also
// in maps and in an any. Errors hold no values.
package jsonline

import (
	stdjson "encoding/json"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	jsonv1 "github.com/go-json-experiment/json/v1"
)

// Errors of both directions.
var (
	ErrNotUTF8 = errors.New("text that is not UTF-8 has no JSON; use []byte")
	ErrSyntax  = errors.New("not valid JSON")
	ErrUnfit   = errors.New("the JSON does not fit the Go type")
	ErrTwice   = errors.New("a name is twice in one JSON object")
)

// common is the form of encoding/json without its losses.
var common = json.JoinOptions(
	jsonv1.DefaultOptionsV1(),
	jsontext.AllowDuplicateNames(false),
	jsontext.AllowInvalidUTF8(false),
	jsontext.EscapeForHTML(false),
	jsonv1.CallMethodsWithLegacySemantics(false),
	jsonv1.ReportErrorsWithLegacySemantics(false),
	jsonv1.UnmarshalArrayFromAnyLength(false),
)

var writing = json.JoinOptions(common, json.WithMarshalers(json.JoinMarshalers(
	json.MarshalToFunc(writeDecimal),
	json.MarshalToFunc(writeNumber),
)))

var (
	readers = json.WithUnmarshalers(json.JoinUnmarshalers(
		json.UnmarshalFromFunc(readDecimal),
		json.UnmarshalFromFunc(readNumber),
		json.UnmarshalFromFunc(readAny),
	))
	readingLoosely = json.JoinOptions(common, readers)
	reading        = json.JoinOptions(readingLoosely, json.RejectUnknownMembers(true))
)

// Append writes what the pointer v leads to, with no line break in it.
func Append(dst []byte, v any) ([]byte, error) {
	w := appender{dst}
	if err := json.MarshalWrite(&w, v, writing); err != nil {
		return dst, unwritten(err)
	}
	return w.buf, nil
}

type appender struct{ buf []byte }

func (w *appender) Write(b []byte) (int, error) {
	w.buf = append(w.buf, b...)
	return len(b), nil
}

// Read reads the one value that text is into the pointer v. Numbers in an any
// are json.Number, so that none is rounded. With loose, fields of objects that v
// has none for are passed over.
func Read(text []byte, v any, loose bool) error {
	opts := reading
	if loose {
		opts = readingLoosely
	}
	if err := json.Unmarshal(text, v, opts); err != nil {
		return unread(err, text, v)
	}
	return nil
}

// writeNumber serves the Number of encoding/json, which is text to json/v2.
func writeNumber(enc *jsontext.Encoder, n stdjson.Number) error {
	if n == "" {
		n = "0" // as encoding/json has it
	}
	return enc.WriteValue(jsontext.Value(n))
}

func readNumber(dec *jsontext.Decoder, n *stdjson.Number) error {
	switch dec.PeekKind() {
	case jsontext.KindNumber:
		number, err := dec.ReadValue()
		*n = stdjson.Number(number)
		return err
	case jsontext.KindNull:
		*n = ""
		return dec.SkipValue()
	}
	return fmt.Errorf("%w: a number is needed", ErrUnfit)
}

// readAny keeps a number's digits; everything else is read as usual.
func readAny(dec *jsontext.Decoder, v *any) error {
	if dec.PeekKind() != jsontext.KindNumber {
		return errors.ErrUnsupported
	}
	number, err := dec.ReadValue()
	*v = stdjson.Number(number)
	return err
}
