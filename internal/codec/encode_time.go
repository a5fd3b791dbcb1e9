package codec

import (
	"math"
	"net"
	"net/netip"
	"reflect"
	"time"
	"unsafe"

	"github.com/gocql/gocql"
)

// encodeTemporal serves timestamp, date, time and duration. A time.Time is written as it is,
// the zero one as the year 1 (the driver writes an empty value then); what is finer than a
// millisecond, or for a date a day of UTC, is rounded down. A time out of the day is refused,
// since the server takes it and other drivers cannot read it; so is a duration of mixed signs,
// which the server refuses.
func encodeTemporal(t *Type, rt reflect.Type) (encodeFunc, error) {
	whole := rt.Kind() == reflect.Int64
	long := always(func(buf []byte, v *int64) ([]byte, error) { return appendInt(buf, *v, 8) })
	switch t.Kind {
	case Timestamp:
		switch {
		case rt == typeTime:
			return always(func(buf []byte, v *time.Time) ([]byte, error) {
				ms, ok := Millis(*v)
				if !ok {
					return buf, ErrRange
				}
				return appendInt(buf, ms, 8)
			}), nil
		case whole && rt != typeStdDuration:
			return long, nil
		}
	case Time:
		if whole {
			return always(func(buf []byte, v *int64) ([]byte, error) {
				if *v < 0 || *v >= dayNanos {
					return buf, errOutOfDay
				}
				return appendInt(buf, *v, 8)
			}), nil
		}
	case Date:
		return encodeDate(t, rt)
	case Duration:
		switch {
		case rt == typeDuration:
			return always(func(buf []byte, v *gocql.Duration) ([]byte, error) {
				if mixedSigns(*v) {
					return buf, errSigns
				}
				buf = appendSignedVint(buf, int64(v.Months))
				buf = appendSignedVint(buf, int64(v.Days))
				return appendSignedVint(buf, v.Nanoseconds), nil
			}), nil
		case whole:
			return always(func(buf []byte, v *int64) ([]byte, error) {
				return appendSignedVint(append(buf, 0, 0), *v), nil
			}), nil
		}
	}
	return nil, unfit(t, rt)
}

func encodeDate(t *Type, rt reflect.Type) (encodeFunc, error) {
	write := func(buf []byte, days int32) ([]byte, error) {
		return appendInt(buf, int64(int32(uint32(days)^1<<31)), 4)
	}
	switch {
	case rt == typeTime:
		return always(func(buf []byte, v *time.Time) ([]byte, error) {
			days, ok := daysOf(*v)
			if !ok {
				return buf, ErrRange
			}
			return write(buf, days)
		}), nil
	case rt.Kind() == reflect.Int32:
		return always(func(buf []byte, v *int32) ([]byte, error) { return write(buf, *v) }), nil
	case rt.Kind() == reflect.Int64 && rt != typeStdDuration:
		return always(func(buf []byte, v *int64) ([]byte, error) {
			days, ok := daysOf(time.UnixMilli(*v))
			if !ok {
				return buf, ErrRange
			}
			return write(buf, days)
		}), nil
	case rt.Kind() == reflect.String:
		return always(func(buf []byte, v *string) ([]byte, error) {
			days, ok := parseDate(*v)
			if !ok {
				return buf, badValue("the string is not a date like 2006-01-02")
			}
			return write(buf, days)
		}), nil
	}
	return nil, unfit(t, rt)
}

// encodeUUID serves uuid and timeuuid; a nil []byte is null. A time.Time is not enough to make a
// timeuuid.
func encodeUUID(t *Type, rt reflect.Type) (encodeFunc, error) {
	switch {
	case byteArray16(rt):
		return always(func(buf []byte, v *[16]byte) ([]byte, error) { return append(buf, v[:]...), nil }), nil
	case rt.Kind() == reflect.String:
		return always(func(buf []byte, v *string) ([]byte, error) {
			u, ok := parseUUID(*v)
			if !ok {
				return buf, badValue("the string is not a UUID")
			}
			return append(buf, u[:]...), nil
		}), nil
	case byteSlice(rt):
		return func(buf []byte, p unsafe.Pointer) ([]byte, bool, error) {
			v := *(*[]byte)(p)
			if v != nil && len(v) != 16 {
				return buf, false, badValue("%d bytes for a UUID", len(v))
			}
			return append(buf, v...), v == nil, nil
		}, nil
	}
	return nil, unfit(t, rt)
}

// encodeInet serves net.IP, netip.Addr, bytes and strings. Nil and the invalid address are
// null. A net.IP of an IPv4 address takes 4 bytes however it is held, since net.IPv4 and
// net.ParseIP make 16 of them; all others tell ::ffff:1.2.3.4, which takes 16 bytes and is
// another key to the server, from 1.2.3.4.
func encodeInet(t *Type, rt reflect.Type) (encodeFunc, error) {
	appendAddr := func(buf []byte, a netip.Addr) ([]byte, bool, error) {
		if a.Zone() != "" {
			return buf, false, badValue("an address with a zone")
		}
		if a.Is4() {
			b := a.As4()
			return append(buf, b[:]...), false, nil
		}
		b := a.As16()
		return append(buf, b[:]...), false, nil
	}
	switch {
	case rt == typeAddr:
		return func(buf []byte, p unsafe.Pointer) ([]byte, bool, error) {
			a := *(*netip.Addr)(p)
			if !a.IsValid() {
				return buf, true, nil
			}
			return appendAddr(buf, a)
		}, nil
	case byteSlice(rt):
		return func(buf []byte, p unsafe.Pointer) ([]byte, bool, error) {
			ip := *(*net.IP)(p)
			if ip == nil {
				return buf, true, nil
			}
			a, ok := netip.AddrFromSlice(ip)
			if !ok {
				return buf, false, badValue("an address of %d bytes", len(ip))
			}
			if rt == typeIP {
				a = a.Unmap()
			}
			return appendAddr(buf, a)
		}, nil
	case rt.Kind() == reflect.String:
		return func(buf []byte, p unsafe.Pointer) ([]byte, bool, error) {
			a, err := netip.ParseAddr(*(*string)(p))
			if err != nil {
				return buf, false, badValue("the string is not an address")
			}
			return appendAddr(buf, a)
		}, nil
	}
	return nil, unfit(t, rt)
}

// Millis is a moment as milliseconds since 1970, and reports whether 64 bits hold them.
func Millis(t time.Time) (ms int64, ok bool) {
	ms, sec := t.UnixMilli(), t.Unix()
	return ms, sec >= math.MinInt64/1000-1 && sec <= math.MaxInt64/1000 && (ms < 0) == (sec < 0)
}
