package codec

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"net/netip"
	"strconv"
	"unicode/utf8"

	"gopkg.in/inf.v0"

	"github.com/rxcql/rxcql/internal/decimal"
	"github.com/rxcql/rxcql/internal/jsonline"
)

// ParseText reads one field of text that is not null, as AppendText writes it, and adds the
// value's bytes to dst. Besides it reads what the file sinks write for the Go types that hold
// the type, such as nanoseconds for a time. An empty text is a value for text alone. Errors
// hold no value.
func ParseText(dst []byte, t *Type, text []byte) ([]byte, error) {
	switch t.Kind {
	case List, Set, Map, Tuple, UDT, Vector:
		if err := jsonline.CheckField(text); err != nil {
			return dst, err
		}
		return ParseJSON(dst, t, text)
	case Ascii, Text:
		if !utf8.Valid(text) {
			return dst, errNotUTF8
		}
		return append(dst, text...), nil
	case Blob, Custom:
		return ParseHex(dst, text)
	}
	if len(text) == 0 {
		return dst, fmt.Errorf("an empty text where %s is needed", A(t))
	}
	return parseScalar(dst, t, string(text))
}

func parseScalar(dst []byte, t *Type, s string) ([]byte, error) {
	if width := t.Kind.width(); width > 0 {
		v, err := strconv.ParseInt(s, 10, width*8)
		if err != nil {
			return dst, fmt.Errorf("not a whole number of %d bits", width*8)
		}
		return appendInt(dst, v, width)
	}
	switch t.Kind {
	case Boolean:
		v, err := ParseBool(s)
		if v {
			return append(dst, 1), err
		}
		return append(dst, 0), err
	case Float:
		v, err := ParseFloat(s, 32)
		if v != v {
			return binary.BigEndian.AppendUint32(dst, 0x7fc0<<16), err
		}
		return binary.BigEndian.AppendUint32(dst, math.Float32bits(float32(v))), err
	case Double:
		v, err := ParseFloat(s, 64)
		return binary.BigEndian.AppendUint64(dst, math.Float64bits(v)), err
	case Varint:
		var z big.Int
		err := ParseVarint(s, &z)
		return appendBig(dst, &z), err
	case Decimal:
		var z inf.Dec
		err := decimal.Parse(s, &z)
		return appendBig(binary.BigEndian.AppendUint32(dst, uint32(z.Scale())), z.UnscaledBig()), err
	case UUID, Timeuuid:
		u, err := ParseUUID(s)
		if err == nil && t.Kind == Timeuuid && u[6]>>4 != 1 {
			err = errVersion
		}
		return append(dst, u[:]...), err
	case Inet:
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" {
			return dst, errInet
		}
		return append(dst, a.AsSlice()...), nil
	}
	return parseTemporal(dst, t, s)
}

func parseTemporal(dst []byte, t *Type, s string) ([]byte, error) {
	switch t.Kind {
	case Timestamp:
		if ms, err := strconv.ParseInt(s, 10, 64); err == nil { // milliseconds, as CQL has it
			return appendInt(dst, ms, 8)
		}
		at, err := ParseTimestamp(s)
		if err != nil {
			return dst, err
		}
		ms, err := MillisOf(at, s)
		if err != nil {
			return dst, err
		}
		return appendInt(dst, ms, 8)
	case Date:
		days, err := ParseDate(s)
		if err != nil {
			return dst, err
		}
		return appendInt(dst, int64(int32(uint32(days)^1<<31)), 4)
	case Time:
		ns, err := ParseTimeOfDay(s)
		if err != nil {
			return dst, err
		}
		return appendInt(dst, ns, 8)
	case Duration:
		d, err := ParseDuration(s)
		dst = appendSignedVint(dst, int64(d.Months))
		dst = appendSignedVint(dst, int64(d.Days))
		return appendSignedVint(dst, d.Nanoseconds), err
	}
	return dst, fmt.Errorf("%s cannot be read from text", A(t))
}
