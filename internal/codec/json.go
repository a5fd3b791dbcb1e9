package codec

import (
	"math"
	"math/big"
	"strconv"
	"time"
	"unicode/utf8"
)

// AppendJSON writes a value as JSON, as Cassandra's INSERT … JSON takes it:
//
//   - numbers for numbers, with any length and all digits, and no zero cut off; true and false;
//     null;
//   - a string for text, uuid and inet; "0x…" for blobs and custom types;
//   - "2006-01-02", "15:04:05.000000000" and "2006-01-02T15:04:05.000Z" for date, time and
//     timestamp; "1mo2d3ns" for durations;
//   - arrays for lists, sets, vectors and tuples; objects for maps and user-defined types. A key of
//     a map that is not a string is its JSON in a string.
//
// In addition: a float that is not finite is "NaN", "Infinity" or "-Infinity"; the year of a
// timestamp after 9999 or before 0 has a sign; a time out of the day is its nanoseconds; an empty
// value (zero bytes, not null) of a type other than text or blob is "". Text that is not UTF-8 has
// no JSON and is ErrValue. Errors hold no value.
func AppendJSON(dst []byte, t *Type, data []byte) ([]byte, error) {
	if data == nil {
		return append(dst, "null"...), nil
	}
	switch t.Kind {
	case Ascii, Text:
		return AppendJSONText(dst, string(data))
	case Blob, Custom:
		dst = append(dst, `"0x`...)
		for _, b := range data {
			dst = append(dst, hexDigits[b>>4], hexDigits[b&15])
		}
		return append(dst, '"'), nil
	}
	if len(data) == 0 && t.Kind != Tuple && t.Kind != UDT {
		return append(dst, `""`...), nil
	}
	switch t.Kind {
	case List, Set, Map, Tuple, UDT, Vector:
		return appendJSONParts(dst, t, data)
	case Timestamp, Date, Time, Duration:
		if t.Kind == Duration {
			if d, err := readDuration(data); err == nil && mixedSigns(d) {
				return dst, errSigns // the text has one sign
			}
		}
		return appendJSONTime(dst, t, data)
	case UUID, Timeuuid:
		if len(data) != 16 {
			return dst, corruptLen(16, len(data))
		}
		return append(appendUUID(append(dst, '"'), [16]byte(data)), '"'), nil
	case Inet:
		a, err := addrOf(data)
		return append(a.AppendTo(append(dst, '"')), '"'), err
	}
	return appendJSONNumber(dst, t, data)
}

// AppendText writes a value as one field of text, such as CSV has: like AppendJSON, but with text
// as it is (its bytes unchanged), and without quotes around other single values. The caller must
// mark null in another way.
func AppendText(dst []byte, t *Type, data []byte) ([]byte, error) {
	if t.Kind == Ascii || t.Kind == Text {
		return append(dst, data...), nil
	}
	start := len(dst)
	dst, err := AppendJSON(dst, t, data)
	if err == nil && len(dst) > start && dst[start] == '"' { // nothing in it is escaped: see AppendJSON
		n := copy(dst[start:], dst[start+1:len(dst)-1])
		dst = dst[:start+n]
	}
	return dst, err
}

func appendJSONNumber(dst []byte, t *Type, data []byte) ([]byte, error) {
	switch t.Kind {
	case Boolean:
		if len(data) != 1 {
			return dst, corruptLen(1, len(data))
		}
		return strconv.AppendBool(dst, data[0] != 0), nil
	case Float:
		v, err := readInt(data, 4)
		return appendJSONFloat(dst, float64(math.Float32frombits(uint32(v))), 32), err
	case Double:
		v, err := readInt(data, 8)
		return appendJSONFloat(dst, math.Float64frombits(uint64(v)), 64), err
	case Varint:
		return bigOf(data).Append(dst, 10), nil
	case Decimal:
		if len(data) < 5 {
			return dst, corrupt("a decimal of %d bytes", len(data))
		}
		scale, err := readInt(data[:4], 4)
		dst = bigOf(data[4:]).Append(dst, 10)
		if scale != 0 { // not written out: a scale may be two thousand million
			dst = strconv.AppendInt(append(dst, 'E'), -scale, 10)
		}
		return dst, err
	}
	if width := t.Kind.width(); width > 0 {
		v, err := readInt(data, width)
		return strconv.AppendInt(dst, v, 10), err
	}
	return dst, badValue("%s has no JSON", A(t))
}

func bigOf(data []byte) *big.Int {
	var z big.Int
	new(decodeState).setBig(&z, data)
	return &z
}

func appendJSONFloat(dst []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...)
	}
	return strconv.AppendFloat(dst, f, 'g', -1, bits)
}

func appendJSONTime(dst []byte, t *Type, data []byte) ([]byte, error) {
	switch t.Kind {
	case Timestamp:
		ms, err := readInt(data, 8)
		dst = appendTimestamp(append(dst, '"'), time.UnixMilli(ms).UTC(), "2006-01-02T15:04:05.000Z")
		return append(dst, '"'), err
	case Date:
		days, err := readDays(data)
		return append(appendDate(append(dst, '"'), days), '"'), err
	case Time:
		ns, err := readInt(data, 8)
		if ns < 0 || ns >= int64(24*time.Hour) {
			return strconv.AppendInt(dst, ns, 10), err
		}
		return time.Unix(0, ns).UTC().AppendFormat(dst, `"15:04:05.000000000"`), err
	}
	d, err := readDuration(data)
	return append(appendDuration(append(dst, '"'), d), '"'), err
}

// magnitude is |v|; that of the lowest number too.
func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

// AppendJSONText writes a string as JSON: quotes, backslashes and control characters escaped,
// everything else as it is. What is not UTF-8 is ErrValue.
func AppendJSONText(dst []byte, s string) ([]byte, error) {
	if !utf8.ValidString(s) {
		return dst, badValue("text that is not UTF-8 has no JSON")
	}
	dst = append(dst, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\t':
			dst = append(dst, `\t`...)
		case c < ' ':
			dst = append(dst, `\u00`...)
			dst = append(dst, hexDigits[c>>4], hexDigits[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"'), nil
}
