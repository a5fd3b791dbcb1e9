package dialect

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"math/big"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/rxcql/rxcql/internal/codec"
)

// Append adds the text of a value that is not null, as CQL has it on the wire (protocol 4), to dst.
// The text is in UTF-8, and without quotes and escapes of CSV. What a type has no spelling of its
// own for in the dialect is as in package source (Forms of values in files). An empty value (zero
// bytes) of a type other than text or blob is empty text.
//
// The error of bytes that are no value of the type, or of text that is not UTF-8, holds no value.
func (t *Text) Append(dst []byte, typ *Type, data []byte) ([]byte, error) {
	switch typ.Kind {
	case codec.Ascii, codec.Text:
		if !utf8.Valid(data) {
			return dst, errNotUTF8
		}
		return append(dst, data...), nil
	case codec.List, codec.Set, codec.Map, codec.Tuple, codec.UDT, codec.Vector:
		if len(data) == 0 && typ.Kind != codec.Tuple && typ.Kind != codec.UDT {
			return dst, nil
		}
		if t.d.Collections == CollectionCQL {
			return t.appendCQL(dst, typ, data)
		}
		return t.appendJSON(dst, typ, data)
	}
	return t.appendSingle(dst, typ, data)
}

var errNotUTF8 = errors.New("text that is not UTF-8 cannot be written; make the column a blob")

// appendSingle adds the text of a value that is neither text nor consists of others.
func (t *Text) appendSingle(dst []byte, typ *Type, data []byte) ([]byte, error) {
	switch {
	case typ.Kind == codec.Blob || typ.Kind == codec.Custom:
		if start := len(dst); t.d.Blobs == BlobBase64 {
			if dst = base64.StdEncoding.AppendEncode(dst, data); !looksHex(dst[start:]) {
				return dst, nil
			}
			dst = dst[:start]
		}
	case len(data) == 0:
		return dst, nil
	case typ.Kind == codec.Boolean && len(data) == 1:
		if data[0] != 0 {
			return append(dst, t.d.Booleans[0].True...), nil
		}
		return append(dst, t.d.Booleans[0].False...), nil
	case typ.Kind == codec.Decimal && len(data) > 4:
		return t.appendDecimal(dst, data), nil
	case typ.Kind == codec.Timestamp && len(data) == 8:
		return t.appendTimestamp(dst, int64(binary.BigEndian.Uint64(data))), nil
	case typ.Kind == codec.Date && len(data) == 4:
		days := int64(binary.BigEndian.Uint32(data)) - 1<<31
		if at := time.Unix(days*86400, 0).UTC(); plainYear(at) {
			return at.AppendFormat(dst, t.d.Dates[0]), nil
		}
	case typ.Kind == codec.Time && len(data) == 8:
		if ns := int64(binary.BigEndian.Uint64(data)); ns >= 0 && ns < int64(24*time.Hour) {
			return time.Unix(0, ns).UTC().AppendFormat(dst, t.d.Times[0]), nil
		}
	}
	return codec.AppendText(dst, typ, data)
}

// appendTimestamp writes a moment in the zone of the dialect, or as milliseconds if the layout
// cannot hold its year.
func (t *Text) appendTimestamp(dst []byte, ms int64) []byte {
	at := t.clock.at(time.UnixMilli(ms))
	if !plainYear(at) {
		return strconv.AppendInt(dst, ms, 10)
	}
	return at.AppendFormat(dst, t.d.Timestamps[0])
}

// plainYear reports whether a year has four digits and no sign, as layouts have it.
func plainYear(at time.Time) bool { return at.Year() >= 0 && at.Year() <= 9999 }

// least is the smallest exponent of a first digit for which Java and Python write a decimal without
// an exponent.
const least = -6

// appendDecimal keeps the scale in every form.
func (t *Text) appendDecimal(dst, data []byte) []byte {
	scale := int64(int32(binary.BigEndian.Uint32(data)))
	unscaled := signed(data[4:])
	digits := new(big.Int).Abs(unscaled).String()
	n := int64(len(digits))
	adjusted := n - 1 - scale // the exponent of the first digit
	plain := scale == 0 || scale > 0 && t.d.Decimals != DecimalExponent && (t.d.Decimals == DecimalPlain || adjusted >= least)
	if plain && max(n, scale+1) > int64(t.d.MaxDigits) && scale != 0 {
		plain = false
	}
	if unscaled.Sign() < 0 {
		dst = append(dst, '-')
	}
	switch {
	case plain && scale == 0:
		return append(dst, digits...)
	case plain:
		for ; n <= scale; n++ {
			digits = "0" + digits
		}
		dst = append(dst, digits[:n-scale]...)
		return append(append(dst, '.'), digits[n-scale:]...)
	case t.d.Decimals != DecimalString || n > int64(t.d.MaxDigits):
		return strconv.AppendInt(append(append(dst, digits...), 'E'), -scale, 10)
	}
	dst = append(dst, digits[0])
	if n > 1 {
		dst = append(append(dst, '.'), digits[1:]...)
	}
	if dst = append(dst, 'E'); adjusted >= 0 {
		dst = append(dst, '+')
	}
	return strconv.AppendInt(dst, adjusted, 10)
}

// signed reads a number in two's complement.
func signed(data []byte) *big.Int {
	z := new(big.Int).SetBytes(data)
	if data[0] >= 0x80 {
		z.Sub(z, new(big.Int).Lsh(big.NewInt(1), uint(8*len(data))))
	}
	return z
}
