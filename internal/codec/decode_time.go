package codec

import (
	"reflect"
	"time"
	"unsafe"

	"github.com/gocql/gocql"
)

const millisPerDay = 24 * 60 * 60 * 1000

// decodeTemporal serves timestamp, date, time and duration. Times are in UTC; an empty value
// is the zero time.Time. A time out of the day, which others may have written, is given as it
// is.
func decodeTemporal(t *Type, rt reflect.Type) (decodeFunc, error) {
	whole := rt.Kind() == reflect.Int64
	switch t.Kind {
	case Timestamp:
		switch {
		case rt == typeTime:
			return scalar(func(data []byte) (time.Time, error) {
				ms, err := readInt(data, 8)
				return time.UnixMilli(ms).UTC(), err
			}), nil
		case whole && rt != typeStdDuration:
			return scalar(func(data []byte) (int64, error) { return readInt(data, 8) }), nil
		}
	case Time:
		if whole {
			return scalar(func(data []byte) (int64, error) { return readInt(data, 8) }), nil
		}
	case Date:
		return decodeDate(t, rt)
	case Duration:
		switch {
		case rt == typeDuration:
			return scalar(readDuration), nil
		case whole:
			return scalar(func(data []byte) (int64, error) {
				d, err := readDuration(data)
				if err == nil && (d.Months != 0 || d.Days != 0) {
					err = ErrRange // months and days have no fixed length
				}
				return d.Nanoseconds, err
			}), nil
		}
	}
	return nil, unfit(t, rt)
}

// decodeDate serves the days since 1970-01-01, which lie on the wire with 2^31 added.
func decodeDate(t *Type, rt reflect.Type) (decodeFunc, error) {
	switch {
	case rt == typeTime:
		return scalar(func(data []byte) (time.Time, error) {
			days, err := readDays(data)
			return time.Unix(int64(days)*(millisPerDay/1000), 0).UTC(), err
		}), nil
	case rt.Kind() == reflect.Int32:
		return scalar(readDays), nil
	case rt.Kind() == reflect.Int64 && rt != typeStdDuration:
		return scalar(func(data []byte) (int64, error) {
			days, err := readDays(data)
			return int64(days) * millisPerDay, err
		}), nil
	case rt.Kind() == reflect.String:
		return intoString(func(dst, data []byte) ([]byte, error) {
			days, err := readDays(data)
			return appendDate(dst, days), err
		}), nil
	}
	return nil, unfit(t, rt)
}

func readDays(data []byte) (int32, error) {
	v, err := readInt(data, 4)
	return int32(uint32(v) ^ 1<<31), err
}

func readDuration(data []byte) (gocql.Duration, error) {
	r := reader{data}
	var parts [3]int64
	for i := range parts {
		var err error
		if parts[i], err = r.signedVint(); err != nil {
			return gocql.Duration{}, err
		}
	}
	d := gocql.Duration{Months: int32(parts[0]), Days: int32(parts[1]), Nanoseconds: parts[2]}
	if int64(d.Months) != parts[0] || int64(d.Days) != parts[1] {
		return gocql.Duration{}, corrupt("months or days of a duration beyond 32 bits")
	}
	return d, r.end()
}

func mixedSigns(d gocql.Duration) bool {
	return (d.Months < 0 || d.Days < 0 || d.Nanoseconds < 0) && (d.Months > 0 || d.Days > 0 || d.Nanoseconds > 0)
}

// decodeUUID serves uuid and timeuuid. A []byte is nil for null and empty; a time.Time takes the
// time of a timeuuid.
func decodeUUID(t *Type, rt reflect.Type) (decodeFunc, error) {
	read := func(data []byte) (u gocql.UUID, err error) {
		if len(data) != len(u) {
			return u, corruptLen(len(u), len(data))
		}
		return gocql.UUID(data), nil
	}
	switch {
	case byteArray16(rt):
		return scalar(read), nil
	case rt.Kind() == reflect.String:
		return intoString(func(dst, data []byte) ([]byte, error) {
			u, err := read(data)
			return appendUUID(dst, u), err
		}), nil
	case byteSlice(rt):
		return func(s *decodeState, p unsafe.Pointer, data []byte) error {
			*(*[]byte)(p) = nil
			if len(data) == 0 {
				return nil
			}
			_, err := read(data)
			if err == nil {
				*(*[]byte)(p) = s.bytes(data)
			}
			return err
		}, nil
	case rt == typeTime && t.Kind == Timeuuid:
		return scalar(func(data []byte) (time.Time, error) {
			u, err := read(data)
			if err != nil {
				return time.Time{}, err
			}
			if u.Version() != 1 {
				return time.Time{}, corrupt("a timeuuid of another version than 1")
			}
			return u.Time(), nil
		}), nil
	}
	return nil, unfit(t, rt)
}

func byteArray16(rt reflect.Type) bool {
	return rt.Kind() == reflect.Array && rt.Len() == 16 && rt.Elem().Kind() == reflect.Uint8
}
