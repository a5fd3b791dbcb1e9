package gotext

import (
	"encoding"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net"
	"net/netip"
	"reflect"
	"time"
	"unsafe"

	"github.com/gocql/gocql"
	"gopkg.in/inf.v0"

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
	number              // as it is, but for words such as NaN
	whole               // as it is, and it is no text: an array, an object, or what encoding/json makes
)

var (
	typeTextMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	typeTextUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
	typeJSONMarshaler   = reflect.TypeFor[json.Marshaler]()
	typeJSONUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
)

// Plans makes cells. With loose, fields of JSON objects that a struct has not are
// passed over.
type Plans struct {
	loose bool
	made  map[reflect.Type]*Cell
}

// NewPlans returns a maker of cells.
func NewPlans(loose bool) *Plans { return &Plans{loose, map[reflect.Type]*Cell{}} }

// Of gives the cell of a type. A type that refers to itself refers to its cell.
func (b *Plans) Of(rt reflect.Type) (*Cell, error) {
	if c := b.made[rt]; c != nil {
		return c, nil
	}
	c := &Cell{kind: rt.Kind()}
	b.made[rt] = c
	if err := b.fill(c, rt); err != nil {
		delete(b.made, rt)
		return c, err
	}
	return c, nil
}

// fill: what tells null first, then the types that CQL values are held in, then a
// type's own methods, then the kinds.
func (b *Plans) fill(c *Cell, rt reflect.Type) error {
	if rt.Kind() == reflect.Pointer {
		return b.pointer(c, rt)
	}
	if value, valid, ok := codec.NullStruct(rt); ok {
		return b.null(c, value, valid.Offset)
	}
	switch rt {
	case reflect.TypeFor[time.Time]():
		timestamps(c)
		return nil
	case reflect.TypeFor[time.Duration]():
		durations(c)
		return nil
	case reflect.TypeFor[gocql.Duration]():
		cqlDurations(c)
		return nil
	case reflect.TypeFor[big.Int]():
		varints(c)
		return nil
	case reflect.TypeFor[inf.Dec]():
		decimals(c)
		return nil
	case reflect.TypeFor[netip.Addr]():
		addresses(c)
		return nil
	case reflect.TypeFor[net.IP]():
		ips(c)
		return nil
	case reflect.TypeFor[gocql.UUID]():
		uuids(c)
		return nil
	}
	pt := reflect.PointerTo(rt)
	switch {
	case pt.Implements(typeTextMarshaler) && pt.Implements(typeTextUnmarshaler):
		texts(c, rt)
		if pt.Implements(typeJSONMarshaler) || pt.Implements(typeJSONUnmarshaler) {
			c.json = &Cell{}
			b.json(c.json, rt)
		}
		return nil
	case pt.Implements(typeJSONMarshaler) && pt.Implements(typeJSONUnmarshaler):
		b.json(c, rt)
		return nil
	}
	if kinds(c, rt.Kind()) {
		return nil
	}
	return b.parts(c, rt)
}

// parts serves kinds that consist of other values.
func (b *Plans) parts(c *Cell, rt reflect.Type) error {
	switch rt.Kind() {
	case reflect.Slice:
		if rt.Elem().Kind() == reflect.Uint8 {
			bytesOf(c)
			return nil
		}
		return b.slice(c, rt)
	case reflect.Array:
		if rt.Len() == 16 && rt.Elem().Kind() == reflect.Uint8 {
			uuids(c)
			return nil
		}
		return b.array(c, rt)
	case reflect.Map:
		return b.mapping(c, rt)
	case reflect.Interface:
		if rt.NumMethod() == 0 {
			b.json(c, rt)
			return nil
		}
	case reflect.Struct:
		if codecStruct(rt) || embedsPointer(rt) {
			b.json(c, rt)
			return nil
		}
		return b.object(c, rt)
	}
	return errors.New("it has no text; give it MarshalText and UnmarshalText")
}

// codecStruct reports whether only a struct's own methods know what it means in
// CQL: what it is as text encoding/json decides.
func codecStruct(rt reflect.Type) bool {
	pt := reflect.PointerTo(rt)
	for _, of := range []reflect.Type{
		reflect.TypeFor[gocql.Marshaler](), reflect.TypeFor[gocql.Unmarshaler](),
		reflect.TypeFor[gocql.UDTMarshaler](), reflect.TypeFor[gocql.UDTUnmarshaler](),
	} {
		if pt.Implements(of) {
			return true
		}
	}
	return false
}

// Nullable reports whether the type has a null of its own.
func (c *Cell) Nullable() bool { return c.Null != nil }

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
	if c.form == escaped && !(c.kind == reflect.String && integer(value)) { // a varint may be held as a string
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
