package jsonline

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"
	"time"
	"unsafe"

	"gopkg.in/inf.v0"
)

// ErrChanged: the value would be another one when it is read again.
var ErrChanged = errors.New("JSON would not keep it as it is")

// AppendExact writes a value like Append. It fails if Read would not return the same value: because
// a field that is not zero is left out, an empty slice would be nil, and the like. Of a type with
// its own methods for JSON or text, only what these return is compared. Numbers in an any are read
// as json.Number, and so are equal to a number of any type; other values in an any keep what they
// hold, but not their Go type.
func AppendExact(dst []byte, v any) ([]byte, error) {
	if v == nil {
		return append(dst, "null"...), nil
	}
	return appendExact(dst, addressable(reflect.ValueOf(v)), comparison{})
}

func appendExact(dst []byte, v reflect.Value, c comparison) ([]byte, error) {
	out, err := Append(dst, v.Addr().Interface())
	if err != nil {
		return dst, err
	}
	again := reflect.New(v.Type())
	if err := Read(out[len(dst):], again.Interface(), false); err != nil {
		return dst, fmt.Errorf("%w: what is written of a %s cannot be read into one: %w", ErrChanged, v.Type(), err)
	}
	if c.path == "" {
		c.path = v.Type().String()
	}
	if err := c.same(v, again.Elem()); err != nil {
		return dst, err
	}
	return out, nil
}

// addressable copies a value to where methods of its pointer can be called.
func addressable(v reflect.Value) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	return c
}

// comparison is of a value and what JSON gave back of it. All values are
// addressable.
type comparison struct {
	path  string // of the value, with no key of a map in it
	inAny bool   // it stands within an interface, so its type is not kept
	why   string // a change is likely, and what to do about it
}

func (c comparison) changed(why string) error {
	if c.why != "" {
		why = c.why
	}
	return fmt.Errorf("%w: %s %s", ErrChanged, c.path, why)
}

var (
	timeType    = reflect.TypeFor[time.Time]()
	decimalType = reflect.TypeFor[inf.Dec]()
	numberType  = reflect.TypeFor[stdjson.Number]()
)

func (c comparison) same(a, b reflect.Value) error {
	rt := a.Type()
	switch {
	case rt == timeType:
		return c.equal(a.Interface().(time.Time).Equal(b.Interface().(time.Time)))
	case rt == decimalType:
		x, y := a.Addr().Interface().(*inf.Dec), b.Addr().Interface().(*inf.Dec)
		return c.equal(x.Cmp(y) == 0 && x.Scale() == y.Scale())
	case rt == numberType:
		return c.equal(a.String() == b.String() || a.Len() == 0 && b.String() == "0")
	case writesAndReads(rt) && !embedsMethods(rt):
		x, err := Append(nil, a.Addr().Interface())
		y, err2 := Append(nil, b.Addr().Interface())
		return c.equal(err == nil && err2 == nil && bytes.Equal(x, y))
	}
	switch rt.Kind() {
	case reflect.Float32, reflect.Float64:
		return c.equal(math.Float64bits(a.Float()) == math.Float64bits(b.Float()))
	case reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			return c.equal(a.IsNil() && b.IsNil())
		}
		return c.same(a.Elem(), b.Elem())
	case reflect.Interface:
		return c.sameInterface(a, b)
	case reflect.Slice:
		return c.sameSlice(a, b)
	case reflect.Array:
		return c.sameElements(a, b)
	case reflect.Map:
		return c.sameMap(a, b)
	case reflect.Struct:
		return c.sameStruct(a, b)
	case reflect.Func, reflect.Chan, reflect.UnsafePointer:
		return c.equal(a.IsZero() && b.IsZero())
	}
	return c.equal(a.Equal(b))
}

func (c comparison) equal(equal bool) error {
	if !equal {
		return c.changed("would be read as another value")
	}
	return nil
}

// sameInterface compares what is in an interface with itself, read into its own
// type: the interface would hold it in another one.
func (c comparison) sameInterface(a, b reflect.Value) error {
	if a.IsNil() || b.IsNil() {
		return c.equal(b.IsNil() && (a.IsNil() || a.Elem().Kind() == reflect.Pointer && a.Elem().IsNil()))
	}
	c.inAny = true
	_, err := appendExact(nil, addressable(a.Elem()), c)
	return err
}

func (c comparison) sameSlice(a, b reflect.Value) error {
	switch {
	case a.IsNil() != b.IsNil():
		return c.changed("is empty, and would be read as nil")
	case a.Type().Elem().Kind() == reflect.Uint8 && c.inAny && !a.IsNil():
		return c.changed("holds bytes within an interface, which would be read as text; give it a type")
	case a.Len() != b.Len():
		return c.equal(false)
	}
	return c.sameElements(a, b)
}

func (c comparison) sameElements(a, b reflect.Value) error {
	c.path += "[]"
	for i := range a.Len() {
		if err := c.same(a.Index(i), b.Index(i)); err != nil {
			return err
		}
	}
	return nil
}

func (c comparison) sameMap(a, b reflect.Value) error {
	switch {
	case a.IsNil() != b.IsNil():
		return c.changed("is empty, and would be read as nil")
	case a.Len() != b.Len():
		return c.equal(false)
	}
	c.path += "[]"
	var byText map[string]reflect.Value
	for it := a.MapRange(); it.Next(); {
		value := b.MapIndex(it.Key())
		if !value.IsValid() { // a pointer, or a time of another location
			if byText == nil {
				byText = valuesByText(b)
			}
			if value = byText[keyText(it.Key())]; !value.IsValid() {
				return c.changed("would be read under another key")
			}
		}
		if err := c.same(addressable(it.Value()), addressable(value)); err != nil {
			return err
		}
	}
	return nil
}

func valuesByText(m reflect.Value) map[string]reflect.Value {
	values := map[string]reflect.Value{}
	for it := m.MapRange(); it.Next(); {
		values[keyText(it.Key())] = it.Value()
	}
	return values
}

// keyText is a map of the key alone, since keys have a form of their own.
func keyText(key reflect.Value) string {
	m := reflect.MakeMap(reflect.MapOf(key.Type(), reflect.TypeFor[bool]()))
	m.SetMapIndex(key, reflect.ValueOf(true))
	text, _ := Append(nil, addressable(m).Addr().Interface())
	return string(text)
}

func (c comparison) sameStruct(a, b reflect.Value) error {
	for i := range a.NumField() {
		f := a.Type().Field(i)
		if f.Name == "_" {
			continue
		}
		of := c
		of.path = c.path + "." + f.Name
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Tag.Get("json") == "-":
			of.why = `is left out by its tag json:"-"; take the tag away`
		case !f.IsExported() && !f.Anonymous:
			of.why = fmt.Sprintf("is not exported, and so left out; export it, or give %s MarshalJSON and UnmarshalJSON", a.Type())
		case c.why == "" && name == "" && embedsMethods(a.Type()):
			of.why = fmt.Sprintf("is left out by the methods of a type that is embedded next to it; give %s its own MarshalJSON and UnmarshalJSON", a.Type())
		}
		if err := of.same(reachable(a.Field(i)), reachable(b.Field(i))); err != nil {
			return err
		}
	}
	return nil
}

// reachable is a field of an addressable struct, exported or not, as if it were.
func reachable(f reflect.Value) reflect.Value {
	return reflect.NewAt(f.Type(), unsafe.Pointer(f.UnsafeAddr())).Elem()
}
