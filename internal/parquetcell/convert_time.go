package parquetcell

import (
	"encoding/binary"
	"errors"
	"time"

	"github.com/parquet-go/parquet-go"
)

var (
	errFiner   = errors.New("the time is finer than the milliseconds of a CQL timestamp; give parquet.TruncateTimes() to cut it")
	errTooLate = errors.New("the time is out of the range of the CQL type")
)

// toTime gives a time of day, in nanoseconds.
func (s sense) toTime() convert {
	if s.meaning != meansTime {
		return nil
	}
	unit := int64(s.unit)
	return func(dst []byte, v parquet.Value) ([]byte, error) {
		n := v.Int64()
		if s.kind == parquet.Int32 {
			n = int64(v.Int32())
		}
		if n < 0 || n >= int64(24*time.Hour)/unit {
			return dst, errTooLate
		}
		return binary.BigEndian.AppendUint64(dst, uint64(n*unit)), nil //nolint:gosec // it is not negative
	}
}

// toTimestamp gives milliseconds since 1970-01-01.
func (s sense) toTimestamp(truncate bool) convert {
	perMilli := int64(1)
	switch s.meaning {
	case meansTimestamp:
		perMilli = int64(time.Millisecond / s.unit)
	case meansInt96:
		perMilli = int64(time.Millisecond)
	default:
		return nil
	}
	return func(dst []byte, v parquet.Value) ([]byte, error) {
		var n int64
		if s.meaning == meansInt96 {
			raw := v.Int96()
			day := int64(raw[2]) - 2440588 // Julian day of 1970-01-01
			ns := int64(raw[1])<<32 | int64(raw[0])
			if ns < 0 || ns >= int64(24*time.Hour) {
				return dst, errTooLate
			}
			ms := day*int64(24*time.Hour/time.Millisecond) + ns/perMilli
			if ns%perMilli != 0 && !truncate {
				return dst, errFiner
			}
			return binary.BigEndian.AppendUint64(dst, uint64(ms)), nil //nolint:gosec // bits
		}
		n = v.Int64()
		ms, rest := n/perMilli, n%perMilli
		switch {
		case rest == 0:
		case !truncate:
			return dst, errFiner
		case rest < 0:
			ms--
		}
		return binary.BigEndian.AppendUint64(dst, uint64(ms)), nil //nolint:gosec // bits
	}
}
