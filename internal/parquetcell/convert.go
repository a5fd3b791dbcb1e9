package parquetcell

import (
	"encoding/binary"
	"errors"
	"math"
	"math/big"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"

	"github.com/rxcql/rxcql/internal/codec"
)

// convert appends the encoded value that a value of a leaf column stands for. It does not keep the
// value's bytes.
type convert func(dst []byte, v parquet.Value) ([]byte, error)

// Errors of values, which have no value in them.
var (
	errRange    = errors.New("the number is out of the range of the CQL type")
	errInexact  = errors.New("the number cannot be had exactly in the CQL type")
	errNotUTF8  = errors.New("the text is not UTF-8")
	errNotASCII = errors.New("the text is not ASCII")
)

// converter returns how values of a leaf become values of a CQL type; nil if they cannot.
func converter(s sense, t *codec.Type, truncate bool) convert {
	switch t.Kind {
	case codec.Text, codec.Ascii:
		return s.toText(t.Kind == codec.Ascii)
	case codec.Blob, codec.Custom:
		return s.toBlob()
	case codec.Boolean:
		if s.meaning == meansBool {
			return func(dst []byte, v parquet.Value) ([]byte, error) {
				if v.Boolean() {
					return append(dst, 1), nil
				}
				return append(dst, 0), nil
			}
		}
	case codec.Tinyint, codec.Smallint, codec.Int, codec.Bigint, codec.Counter:
		return s.toInteger(t.Kind)
	case codec.Varint, codec.Decimal:
		return s.toNumber(t)
	case codec.Float, codec.Double:
		return s.toFloat(t.Kind)
	case codec.Date:
		if s.meaning == meansDate {
			return func(dst []byte, v parquet.Value) ([]byte, error) { return beInt32(dst, v.Int32()^math.MinInt32), nil }
		}
	case codec.Time:
		return s.toTime()
	case codec.Timestamp:
		return s.toTimestamp(truncate)
	case codec.UUID, codec.Timeuuid:
		switch s.meaning {
		case meansUUID, meansBinary, meansBytes:
			return func(dst []byte, v parquet.Value) ([]byte, error) {
				if b := v.ByteArray(); len(b) == 16 {
					return append(dst, b...), nil
				}
				return dst, errors.New("a UUID has 16 bytes")
			}
		case meansText:
			return parsed(t)
		}
	case codec.Inet:
		if s.meaning == meansText {
			return parsed(t)
		}
	case codec.Duration:
		switch s.meaning {
		case meansText:
			return parsed(t)
		case meansInterval:
			return interval
		}
	}
	return nil
}

// parsed reads text in the forms that CSV has too.
func parsed(t *codec.Type) convert {
	return func(dst []byte, v parquet.Value) ([]byte, error) { return codec.ParseText(dst, t, v.ByteArray()) }
}

func (s sense) toText(ascii bool) convert {
	if s.meaning != meansText && s.meaning != meansBytes {
		return nil
	}
	return func(dst []byte, v parquet.Value) ([]byte, error) {
		b := v.ByteArray()
		if !utf8.Valid(b) {
			return dst, errNotUTF8
		}
		if ascii {
			for _, c := range b {
				if c >= utf8.RuneSelf {
					return dst, errNotASCII
				}
			}
		}
		return append(dst, b...), nil
	}
}

func (s sense) toBlob() convert {
	switch s.meaning {
	case meansBytes, meansBinary, meansUUID:
		return func(dst []byte, v parquet.Value) ([]byte, error) { return append(dst, v.ByteArray()...), nil }
	}
	return nil
}

// whole returns the number of a leaf of whole numbers; false if it is beyond an int64.
func (s sense) whole(v parquet.Value) (int64, bool) {
	switch {
	case s.kind == parquet.Int32 && s.meaning == meansUnsigned:
		return int64(v.Uint32()), true
	case s.kind == parquet.Int32:
		return int64(v.Int32()), true
	}
	n := v.Int64()
	return n, s.meaning != meansUnsigned || n >= 0
}

func (s sense) toInteger(kind codec.Kind) convert {
	if s.meaning != meansSigned && s.meaning != meansUnsigned {
		return nil
	}
	width := map[codec.Kind]int{codec.Tinyint: 1, codec.Smallint: 2, codec.Int: 4, codec.Bigint: 8, codec.Counter: 8}[kind]
	low, high := int64(-1)<<(8*width-1), int64(1)<<(8*width-1)-1
	return func(dst []byte, v parquet.Value) ([]byte, error) {
		n, fits := s.whole(v)
		if !fits || n < low || n > high {
			return dst, errRange
		}
		for shift := 8 * (width - 1); shift >= 0; shift -= 8 {
			dst = append(dst, byte(n>>shift)) //nolint:gosec // the bytes one by one
		}
		return dst, nil
	}
}

func (s sense) toFloat(kind codec.Kind) convert {
	double := kind == codec.Double
	switch {
	case s.meaning == meansFloat && double:
		return func(dst []byte, v parquet.Value) ([]byte, error) {
			return binary.BigEndian.AppendUint64(dst, math.Float64bits(float64(v.Float()))), nil
		}
	case s.meaning == meansFloat:
		return func(dst []byte, v parquet.Value) ([]byte, error) {
			return binary.BigEndian.AppendUint32(dst, math.Float32bits(v.Float())), nil
		}
	case s.meaning == meansDouble && double:
		return func(dst []byte, v parquet.Value) ([]byte, error) {
			return binary.BigEndian.AppendUint64(dst, math.Float64bits(v.Double())), nil
		}
	case s.meaning == meansDouble:
		return func(dst []byte, v parquet.Value) ([]byte, error) {
			f := float32(v.Double())
			if d := v.Double(); float64(f) != d && !math.IsNaN(d) {
				return dst, errInexact
			}
			return binary.BigEndian.AppendUint32(dst, math.Float32bits(f)), nil
		}
	case s.meaning == meansSigned && s.kind == parquet.Int32 && double: // exact, for each of them
		return func(dst []byte, v parquet.Value) ([]byte, error) {
			return binary.BigEndian.AppendUint64(dst, math.Float64bits(float64(v.Int32()))), nil
		}
	}
	return nil
}

// toNumber gives numbers without bounds: varint and decimal.
func (s sense) toNumber(t *codec.Type) convert {
	decimal := t.Kind == codec.Decimal
	switch s.meaning {
	case meansText:
		return parsed(t)
	case meansSigned, meansUnsigned:
	case meansDecimal:
		if !decimal && s.scale != 0 {
			return nil
		}
	default:
		return nil
	}
	return func(dst []byte, v parquet.Value) ([]byte, error) {
		if decimal {
			dst = beInt32(dst, s.scale)
		}
		return appendVarint(dst, s.unscaled(v)), nil
	}
}

// unscaled returns a whole number, or a decimal without its scale.
func (s sense) unscaled(v parquet.Value) *big.Int {
	switch {
	case s.kind == parquet.ByteArray || s.kind == parquet.FixedLenByteArray:
		return fromTwosComplement(v.ByteArray())
	case s.meaning == meansUnsigned && s.kind == parquet.Int64:
		return new(big.Int).SetUint64(v.Uint64())
	}
	n, _ := s.whole(v)
	return big.NewInt(n)
}
