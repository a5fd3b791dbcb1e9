package widen

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/rxcql/rxcql/internal/codec"
)

var errLength = errors.New("the value has a length that its type does not have")

// sameBytes are the types whose bytes are values of others as they are.
var sameBytes = map[codec.Kind][]codec.Kind{
	codec.Ascii:    {codec.Text, codec.Blob},
	codec.Text:     {codec.Blob},
	codec.Timeuuid: {codec.UUID},
	codec.Counter:  {codec.Bigint},
}

// widths are the lengths of whole numbers.
var widths = map[codec.Kind]int{
	codec.Tinyint: 1, codec.Smallint: 2, codec.Int: 4, codec.Bigint: 8, codec.Counter: 8,
}

// exact are the most bytes of a whole number that a floating-point type holds exactly.
var exact = map[codec.Kind]int{codec.Float: 2, codec.Double: 4}

func scalar(from, to codec.Kind) (Func, bool) {
	if from == to {
		return nil, true
	}
	for _, same := range sameBytes[from] {
		if same == to {
			return nil, true
		}
	}
	width, whole := widths[from]
	switch {
	case whole && to != codec.Counter && width < widths[to]:
		return number(width, func(dst []byte, v int64) []byte { return wholeNumber(dst, v, widths[to]) }), true
	case whole && to == codec.Varint:
		return number(width, varint), true
	case whole && to == codec.Decimal:
		return number(width, func(dst []byte, v int64) []byte { return varint(append(dst, 0, 0, 0, 0), v) }), true
	case whole && to == codec.Double && width <= exact[to]:
		return number(width, func(dst []byte, v int64) []byte {
			return binary.BigEndian.AppendUint64(dst, math.Float64bits(float64(v)))
		}), true
	case whole && to == codec.Float && width <= exact[to]:
		return number(width, func(dst []byte, v int64) []byte {
			return binary.BigEndian.AppendUint32(dst, math.Float32bits(float32(v)))
		}), true
	case from == codec.Varint && to == codec.Decimal:
		return func(dst, value []byte) ([]byte, error) {
			if len(value) == 0 {
				return dst, nil
			}
			return append(append(dst, 0, 0, 0, 0), value...), nil // scale 0
		}, true
	case from == codec.Float && to == codec.Double:
		return double, true
	}
	return nil, false
}

// number reads a whole number of a width. A value of zero bytes, which older protocols wrote for
// some types, stays one.
func number(width int, add func(dst []byte, v int64) []byte) Func {
	return func(dst, value []byte) ([]byte, error) {
		if len(value) == 0 {
			return dst, nil
		}
		if len(value) != width {
			return dst, errLength
		}
		var b [8]byte
		copy(b[8-width:], value)
		shift := 64 - 8*width
		return add(dst, int64(binary.BigEndian.Uint64(b[:]))<<shift>>shift), nil
	}
}

// wholeNumber writes the last bytes of v.
func wholeNumber(dst []byte, v int64, width int) []byte {
	var b [8]byte
	binary.BigEndian.PutUint64(b[:], uint64(v))
	return append(dst, b[8-width:]...)
}

// varint writes v in as few bytes as hold it, and at least one.
func varint(dst []byte, v int64) []byte {
	width := 1
	for width < 8 && (v < -1<<(8*width-1) || v >= 1<<(8*width-1)) {
		width++
	}
	return wholeNumber(dst, v, width)
}

// double keeps infinities and the sign of zero. A NaN keeps its sign and the first bits of its
// payload, as the hardware converts it.
func double(dst, value []byte) ([]byte, error) {
	switch len(value) {
	case 0:
		return dst, nil
	case 4:
		v := math.Float32frombits(binary.BigEndian.Uint32(value))
		return binary.BigEndian.AppendUint64(dst, math.Float64bits(float64(v))), nil
	}
	return dst, errLength
}
