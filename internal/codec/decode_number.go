package codec

import (
	"encoding/binary"
	"math/big"
	"reflect"
	"strconv"
	"unsafe"

	"gopkg.in/inf.v0"
)

// readInt reads a whole number of the width of its kind.
func readInt(data []byte, width int) (int64, error) {
	if len(data) != width {
		return 0, corruptLen(width, len(data))
	}
	switch width {
	case 1:
		return int64(int8(data[0])), nil
	case 2:
		return int64(int16(binary.BigEndian.Uint16(data))), nil
	case 4:
		return int64(int32(binary.BigEndian.Uint32(data))), nil
	}
	return int64(binary.BigEndian.Uint64(data)), nil
}

// decodeInt serves the integer kinds of fixed width. A value that the Go type cannot hold is
// ErrRange; unlike in the driver a negative one never wraps around into an unsigned type.
func decodeInt(t *Type, rt reflect.Type) (decodeFunc, error) {
	width := t.Kind.width()
	read := func(data []byte) (int64, error) { return readInt(data, width) }
	if fn := intInto(rt.Kind(), read); fn != nil {
		return fn, nil
	}
	switch {
	case rt == typeBigInt:
		return scalar(func(data []byte) (z big.Int, err error) {
			v, err := read(data)
			z.SetInt64(v)
			return z, err
		}), nil
	case rt.Kind() == reflect.String:
		return intoString(func(dst, data []byte) ([]byte, error) {
			v, err := read(data)
			return strconv.AppendInt(dst, v, 10), err
		}), nil
	}
	return nil, unfit(t, rt)
}

// intoString makes a decodeFunc that writes a value out. The empty value becomes "".
func intoString(write func(dst, data []byte) ([]byte, error)) decodeFunc {
	return func(s *decodeState, p unsafe.Pointer, data []byte) error {
		*(*string)(p) = ""
		if len(data) == 0 {
			return nil
		}
		b, err := write(s.scratch[:0], data)
		s.scratch = b
		if err == nil {
			*(*string)(p) = s.text(b)
		}
		return err
	}
}

// intInto makes the decodeFunc for a kind of Go integer, or nil for other kinds.
func intInto(k reflect.Kind, read func([]byte) (int64, error)) decodeFunc {
	switch k {
	case reflect.Int:
		return within[int](read)
	case reflect.Int8:
		return within[int8](read)
	case reflect.Int16:
		return within[int16](read)
	case reflect.Int32:
		return within[int32](read)
	case reflect.Int64:
		return within[int64](read)
	case reflect.Uint:
		return within[uint](read)
	case reflect.Uint8:
		return within[uint8](read)
	case reflect.Uint16:
		return within[uint16](read)
	case reflect.Uint32:
		return within[uint32](read)
	case reflect.Uint64:
		return within[uint64](read)
	}
	return nil
}

type integer interface {
	int | int8 | int16 | int32 | int64 | uint | uint8 | uint16 | uint32 | uint64
}

func within[G integer](read func([]byte) (int64, error)) decodeFunc {
	return scalar(func(data []byte) (G, error) {
		v, err := read(data)
		g := G(v)
		if err == nil && (int64(g) != v || (g < 0) != (v < 0)) {
			return 0, ErrRange
		}
		return g, err
	})
}

// decodeFixed serves boolean, float and double. The bits of a float, a NaN's among them, are kept
// as they are.
func decodeFixed(t *Type, rt reflect.Type) (decodeFunc, error) {
	switch {
	case t.Kind == Boolean && rt.Kind() == reflect.Bool:
		return scalar(func(data []byte) (bool, error) {
			if len(data) != 1 {
				return false, corruptLen(1, len(data))
			}
			return data[0] != 0, nil
		}), nil
	case t.Kind == Float && rt.Kind() == reflect.Float32:
		return scalar(func(data []byte) (uint32, error) {
			v, err := readInt(data, 4)
			return uint32(v), err
		}), nil
	case t.Kind == Double && rt.Kind() == reflect.Float64:
		return scalar(func(data []byte) (int64, error) { return readInt(data, 8) }), nil
	}
	return nil, unfit(t, rt)
}

// decodeVarint serves whole numbers of any length.
func decodeVarint(t *Type, rt reflect.Type) (decodeFunc, error) {
	if rt.Kind() == reflect.Uint64 || rt.Kind() == reflect.Uint && rt.Size() == 8 {
		return scalar(varintUint64), nil
	}
	if fn := intInto(rt.Kind(), varintInt64); fn != nil {
		return fn, nil
	}
	switch {
	case rt == typeBigInt:
		return func(s *decodeState, p unsafe.Pointer, data []byte) error {
			z := (*big.Int)(p)
			*z = big.Int{} // an earlier row may hold the old digits
			s.setBig(z, data)
			return nil
		}, nil
	case rt.Kind() == reflect.String:
		return func(s *decodeState, p unsafe.Pointer, data []byte) error {
			*(*string)(p) = ""
			if len(data) == 0 {
				return nil
			}
			var z big.Int
			kept := s.kept
			s.setBig(&z, data)
			s.kept = kept
			s.scratch = z.Append(s.scratch[:0], 10)
			*(*string)(p) = s.text(s.scratch)
			return nil
		}, nil
	}
	return nil, unfit(t, rt)
}

// decodeDecimal serves inf.Dec: a scale of 32 bits, then the unscaled varint.
func decodeDecimal(t *Type, rt reflect.Type) (decodeFunc, error) {
	if rt != typeDec {
		return nil, unfit(t, rt)
	}
	return func(s *decodeState, p unsafe.Pointer, data []byte) error {
		d := (*inf.Dec)(p)
		*d = inf.Dec{} // an earlier row may hold the old digits
		if len(data) == 0 {
			return nil
		}
		if len(data) < 5 {
			return corrupt("a decimal of %d bytes", len(data))
		}
		d.SetScale(inf.Scale(int32(binary.BigEndian.Uint32(data))))
		s.setBig(d.UnscaledBig(), data[4:])
		return nil
	}, nil
}
