package gotext

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"unsafe"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/jsonline"
)

// Cell writes and reads the values of one Go type. It is not changed after it was
// made.
type Cell struct {
	// Null reports whether a value is null; nil for a type that has no null.
	Null func(p unsafe.Pointer) bool
	// Append adds the text of a value that is not null.
	Append func(dst []byte, p unsafe.Pointer) ([]byte, error)
	// Read reads the text of a value that is not null into a zero value.
	Read func(p unsafe.Pointer, text []byte) error

	form form
	kind reflect.Kind
	json *Cell // what the value is in JSON, if that is not its text
}

// form is how the text of a value stands in JSON.
type form uint8

const (
	quoted  form = iota // as a string; nothing in it needs an escape
	escaped             // as a string of any text
	bare                // as it is; in quotes it is read too
	number              // as it is, except words such as NaN
	whole               // as it is, and it is no text: an array, an object, or what encoding/json makes
)

// AppendJSON adds a value as JSON.
func (c *Cell) AppendJSON(dst []byte, p unsafe.Pointer) ([]byte, error) {
	if c.Null != nil && c.Null(p) {
		return append(dst, "null"...), nil
	}
	if c.json != nil {
		return c.json.Append(dst, p)
	}
	switch c.form {
	case quoted:
		dst, err := c.Append(append(dst, '"'), p)
		return append(dst, '"'), err
	case escaped:
		start := len(dst)
		out, err := c.Append(dst, p)
		if err != nil {
			return dst, err
		}
		text := string(out[start:])
		return codec.AppendJSONText(out[:start], text)
	case number:
		start := len(dst)
		out, err := c.Append(dst, p)
		if last := out[len(out)-1]; err == nil && (last < '0' || last > '9') { // NaN, Infinity
			out = append(append(append(out[:start:start], '"'), out[start:]...), '"')
		}
		return out, err
	}
	return c.Append(dst, p)
}

// ReadJSON reads a value from valid JSON into a zero value; null leaves it zero.
func (c *Cell) ReadJSON(p unsafe.Pointer, value []byte) error {
	if string(value) == "null" {
		return nil
	}
	if c.json != nil {
		return c.json.Read(p, value)
	}
	if c.form == whole {
		return c.Read(p, value)
	}
	switch value[0] {
	case '"':
		text, err := jsonline.Unquote(value, nil)
		if err != nil {
			return err
		}
		if len(text) == 0 && c.form != escaped {
			return errEmpty
		}
		if c.kind >= reflect.Bool && c.kind <= reflect.Float64 && json.Valid(text) { // "5", "true": text, not a number
			return unfit(value)
		}
		return c.Read(p, text)
	case '[', '{':
		return unfit(value)
	}
	if c.form == escaped && (c.kind != reflect.String || !integer(value)) { // a varint may be held as a string
		return unfit(value)
	}
	return c.Read(p, value)
}

var errEmpty = errors.New("an empty text where another value is needed")

func unfit(value []byte) error {
	is := "number"
	switch value[0] {
	case '"':
		is = "string"
	case '[':
		is = "array"
	case '{':
		is = "object"
	case 't', 'f':
		is = "boolean"
	}
	return fmt.Errorf("%w: a JSON %s", jsonline.ErrUnfit, is)
}

func integer(number []byte) bool {
	for i, c := range number {
		if (c < '0' || c > '9') && (c != '-' || i > 0) {
			return false
		}
	}
	return true
}
