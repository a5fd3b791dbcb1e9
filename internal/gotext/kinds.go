package gotext

import (
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql/internal/codec"
)

// kinds serves text, bool and numbers.
func kinds(c *Cell, kind reflect.Kind) bool {
	switch kind {
	case reflect.String:
		c.form = escaped
		c.Append = func(dst []byte, p unsafe.Pointer) ([]byte, error) { return append(dst, *(*string)(p)...), nil }
		c.Read = func(p unsafe.Pointer, text []byte) error {
			*(*string)(p) = string(text)
			return nil
		}
	case reflect.Bool:
		values(c, bare, "true or false", strconv.AppendBool, codec.ParseBool)
	case reflect.Int:
		signed[int](c, nil)
	case reflect.Int8:
		signed[int8](c, nil)
	case reflect.Int16:
		signed[int16](c, nil)
	case reflect.Int32:
		signed(c, func(s string) (int32, bool) {
			days, err := codec.ParseDate(s)
			return days, err == nil
		})
	case reflect.Int64:
		signed(c, moment)
	case reflect.Uint:
		unsigned[uint](c)
	case reflect.Uint8:
		unsigned[uint8](c)
	case reflect.Uint16:
		unsigned[uint16](c)
	case reflect.Uint32:
		unsigned[uint32](c)
	case reflect.Uint64:
		unsigned[uint64](c)
	case reflect.Float32:
		c.form = number
		c.Append = func(dst []byte, p unsafe.Pointer) ([]byte, error) {
			return appendFloat(dst, float64(*(*float32)(p)), 32), nil
		}
		c.Read = func(p unsafe.Pointer, text []byte) error {
			f, err := codec.ParseFloat(string(text), 32)
			if err != nil {
				return notA("a number of 32 bits", text)
			}
			if *(*float32)(p) = float32(f); f != f {
				*(*float32)(p) = math.Float32frombits(0x7fc0 << 16)
			}
			return nil
		}
	case reflect.Float64:
		values(c, number, "a number of 64 bits", func(dst []byte, f float64) []byte { return appendFloat(dst, f, 64) },
			func(s string) (float64, error) { return codec.ParseFloat(s, 64) })
	default:
		return false
	}
	return true
}

func appendFloat(dst []byte, f float64, bits int) []byte {
	switch {
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, bits)
}

// moment reads what an int64 holds of the types of time: the milliseconds of a
// timestamp or a date, the nanoseconds of a time, or of a duration of nothing else.
func moment(s string) (int64, bool) {
	if ns, err := codec.ParseTimeOfDay(s); err == nil {
		return ns, true
	}
	if at, err := codec.ParseTimestamp(s); err == nil {
		ms, fits := codec.Millis(at)
		return ms, fits && at.Nanosecond()%int(time.Millisecond) == 0
	}
	d, err := codec.ParseDuration(s)
	return d.Nanoseconds, err == nil && d == (gocql.Duration{Nanoseconds: d.Nanoseconds})
}

// values serves types that strconv knows. Its errors would hold the text, so they
// are not passed on.
func values[G any](c *Cell, as form, what string, write func([]byte, G) []byte, parse func(string) (G, error)) {
	c.form = as
	c.Append = func(dst []byte, p unsafe.Pointer) ([]byte, error) { return write(dst, *(*G)(p)), nil }
	c.Read = func(p unsafe.Pointer, text []byte) error {
		v, err := parse(string(text))
		if err != nil {
			return notA(what, text)
		}
		*(*G)(p) = v
		return nil
	}
}

func notA(what string, text []byte) error {
	s := string(text)
	switch {
	case s == "":
		return fmt.Errorf("the field is empty, and not null, where %s is needed", what)
	case strings.TrimSpace(s) != s:
		return fmt.Errorf("the field is not %s: there are blanks around it, which belong to a field", what)
	}
	return fmt.Errorf("the field is not %s", what)
}

func signed[G int | int8 | int16 | int32 | int64](c *Cell, other func(string) (G, bool)) {
	bits := int(unsafe.Sizeof(G(0)) * 8)
	values(c, bare, fmt.Sprintf("a whole number of %d bits", bits),
		func(dst []byte, v G) []byte { return strconv.AppendInt(dst, int64(v), 10) },
		func(s string) (G, error) {
			v, err := strconv.ParseInt(s, 10, bits)
			if err != nil && other != nil {
				if v, ok := other(s); ok {
					return v, nil
				}
			}
			return G(v), err
		})
	slow := c.Read
	c.Read = func(p unsafe.Pointer, text []byte) error {
		v, ok := digits(text)
		if !ok || int64(G(v)) != v {
			return slow(p, text)
		}
		*(*G)(p) = G(v)
		return nil
	}
}

// digits reads a whole number of up to 18 digits without making a string of it.
func digits(text []byte) (v int64, ok bool) {
	negative := len(text) > 0 && text[0] == '-'
	if negative {
		text = text[1:]
	}
	if len(text) == 0 || len(text) > 18 {
		return 0, false
	}
	for _, c := range text {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = v*10 + int64(c-'0')
	}
	if negative {
		v = -v
	}
	return v, true
}

func unsigned[G uint | uint8 | uint16 | uint32 | uint64](c *Cell) {
	bits := int(unsafe.Sizeof(G(0)) * 8)
	values(c, bare, fmt.Sprintf("a whole number of %d bits, 0 or more", bits),
		func(dst []byte, v G) []byte { return strconv.AppendUint(dst, uint64(v), 10) },
		func(s string) (G, error) { v, err := strconv.ParseUint(s, 10, bits); return G(v), err })
}
