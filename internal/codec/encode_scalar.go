package codec

import (
	"encoding/binary"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"unsafe"

	"gopkg.in/inf.v0"
)

// always makes an encodeFunc for values that are never null.
func always[G any](write func(buf []byte, v *G) ([]byte, error)) encodeFunc {
	return func(buf []byte, p unsafe.Pointer) ([]byte, bool, error) {
		out, err := write(buf, (*G)(p))
		return out, false, err
	}
}

// encodeText serves text, ascii, blob and unknown custom types. A nil []byte is null, an empty one
// an empty value.
func encodeText(t *Type, rt reflect.Type) (encodeFunc, error) {
	switch {
	case rt.Kind() == reflect.String && t.Kind != Custom:
		return always(func(buf []byte, v *string) ([]byte, error) { return append(buf, *v...), nil }), nil
	case byteSlice(rt):
		return func(buf []byte, p unsafe.Pointer) ([]byte, bool, error) {
			v := *(*[]byte)(p)
			return append(buf, v...), v == nil, nil
		}, nil
	}
	return nil, unfit(t, rt)
}

// appendInt writes a whole number in the width of its kind, or ErrRange.
func appendInt(buf []byte, v int64, width int) ([]byte, error) {
	if shift := 64 - 8*width; v<<shift>>shift != v {
		return buf, ErrRange
	}
	switch width {
	case 1:
		return append(buf, byte(v)), nil
	case 2:
		return binary.BigEndian.AppendUint16(buf, uint16(v)), nil
	case 4:
		return binary.BigEndian.AppendUint32(buf, uint32(v)), nil
	}
	return binary.BigEndian.AppendUint64(buf, uint64(v)), nil
}

// encodeInt serves the integer kinds of fixed width.
func encodeInt(t *Type, rt reflect.Type) (encodeFunc, error) {
	width := t.Kind.width()
	write := func(buf []byte, v int64) ([]byte, error) { return appendInt(buf, v, width) }
	writeUint := func(buf []byte, v uint64) ([]byte, error) {
		if int64(v) < 0 {
			return buf, ErrRange
		}
		return appendInt(buf, int64(v), width)
	}
	if fn := intFrom(rt.Kind(), write, writeUint); fn != nil {
		return fn, nil
	}
	switch {
	case rt == typeBigInt:
		return always(func(buf []byte, v *big.Int) ([]byte, error) {
			if !v.IsInt64() {
				return buf, ErrRange
			}
			return write(buf, v.Int64())
		}), nil
	case rt.Kind() == reflect.String:
		return always(func(buf []byte, v *string) ([]byte, error) {
			n, err := strconv.ParseInt(*v, 10, 64)
			if err != nil {
				return buf, badValue("the string is not a whole number of 64 bits")
			}
			return write(buf, n)
		}), nil
	}
	return nil, unfit(t, rt)
}

func intFrom(k reflect.Kind, write func([]byte, int64) ([]byte, error), writeUint func([]byte, uint64) ([]byte, error)) encodeFunc {
	switch k {
	case reflect.Int:
		return always(func(buf []byte, v *int) ([]byte, error) { return write(buf, int64(*v)) })
	case reflect.Int8:
		return always(func(buf []byte, v *int8) ([]byte, error) { return write(buf, int64(*v)) })
	case reflect.Int16:
		return always(func(buf []byte, v *int16) ([]byte, error) { return write(buf, int64(*v)) })
	case reflect.Int32:
		return always(func(buf []byte, v *int32) ([]byte, error) { return write(buf, int64(*v)) })
	case reflect.Int64:
		return always(func(buf []byte, v *int64) ([]byte, error) { return write(buf, *v) })
	case reflect.Uint:
		return always(func(buf []byte, v *uint) ([]byte, error) { return writeUint(buf, uint64(*v)) })
	case reflect.Uint8:
		return always(func(buf []byte, v *uint8) ([]byte, error) { return writeUint(buf, uint64(*v)) })
	case reflect.Uint16:
		return always(func(buf []byte, v *uint16) ([]byte, error) { return writeUint(buf, uint64(*v)) })
	case reflect.Uint32:
		return always(func(buf []byte, v *uint32) ([]byte, error) { return writeUint(buf, uint64(*v)) })
	case reflect.Uint64:
		return always(func(buf []byte, v *uint64) ([]byte, error) { return writeUint(buf, *v) })
	}
	return nil
}

// encodeFixed serves boolean, float and double. A json.Number, which an any holds after JSON
// was read, is one too.
func encodeFixed(t *Type, rt reflect.Type) (encodeFunc, error) {
	switch {
	case t.Kind == Boolean && rt.Kind() == reflect.Bool:
		return always(func(buf []byte, v *bool) ([]byte, error) {
			if *v {
				return append(buf, 1), nil
			}
			return append(buf, 0), nil
		}), nil
	case t.Kind == Float && rt.Kind() == reflect.Float32:
		return always(func(buf []byte, v *uint32) ([]byte, error) { return binary.BigEndian.AppendUint32(buf, *v), nil }), nil
	case rt == typeNumber && t.Kind != Boolean:
		return encodeNumber(t.Kind), nil
	case t.Kind == Double && rt.Kind() == reflect.Float64:
		return always(func(buf []byte, v *uint64) ([]byte, error) { return binary.BigEndian.AppendUint64(buf, *v), nil }), nil
	}
	return nil, unfit(t, rt)
}

func encodeNumber(k Kind) encodeFunc {
	bits := 64
	if k == Float {
		bits = 32
	}
	return always(func(buf []byte, v *string) ([]byte, error) {
		f, err := strconv.ParseFloat(*v, bits)
		switch {
		case err != nil:
			return buf, badValue("the number does not fit into %d bits", bits)
		case bits == 32:
			return binary.BigEndian.AppendUint32(buf, math.Float32bits(float32(f))), nil
		}
		return binary.BigEndian.AppendUint64(buf, math.Float64bits(f)), nil
	})
}

// encodeVarint serves whole numbers of any length.
func encodeVarint(t *Type, rt reflect.Type) (encodeFunc, error) {
	write := func(buf []byte, v int64) ([]byte, error) { return appendVarint(buf, v), nil }
	writeUint := func(buf []byte, v uint64) ([]byte, error) { return appendVarintUint(buf, v), nil }
	if fn := intFrom(rt.Kind(), write, writeUint); fn != nil {
		return fn, nil
	}
	switch {
	case rt == typeBigInt:
		return always(func(buf []byte, v *big.Int) ([]byte, error) { return appendBig(buf, v), nil }), nil
	case rt.Kind() == reflect.String:
		return always(func(buf []byte, v *string) ([]byte, error) {
			z, ok := new(big.Int).SetString(*v, 10)
			if !ok {
				return buf, badValue("the string is not a whole number")
			}
			return appendBig(buf, z), nil
		}), nil
	}
	return nil, unfit(t, rt)
}

// encodeDecimal serves inf.Dec, whose scale is kept as it is: 1.0 and 1.00 differ on the wire.
func encodeDecimal(t *Type, rt reflect.Type) (encodeFunc, error) {
	if rt != typeDec {
		return nil, unfit(t, rt)
	}
	return always(func(buf []byte, v *inf.Dec) ([]byte, error) {
		buf = binary.BigEndian.AppendUint32(buf, uint32(v.Scale()))
		return appendBig(buf, v.UnscaledBig()), nil
	}), nil
}
