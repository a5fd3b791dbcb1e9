package gotext

import (
	"errors"
	"math/big"
	"net"
	"net/netip"
	"strconv"
	"time"
	"unsafe"

	"github.com/gocql/gocql"
	"gopkg.in/inf.v0"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/decimal"
)

func timestamps(c *Cell) {
	c.form = quoted
	c.Append = func(dst []byte, p unsafe.Pointer) ([]byte, error) {
		return codec.AppendTimestamp(dst, *(*time.Time)(p)), nil
	}
	c.Read = func(p unsafe.Pointer, text []byte) error {
		t := (*time.Time)(p)
		err := t.UnmarshalText(text)
		if err != nil { // not in RFC 3339
			*t, err = codec.ParseTimestamp(string(text))
		}
		return err
	}
}

// durations writes nanoseconds, since a time.Duration may be a time or a duration.
func durations(c *Cell) {
	c.form = bare
	c.Append = func(dst []byte, p unsafe.Pointer) ([]byte, error) {
		return strconv.AppendInt(dst, *(*int64)(p), 10), nil
	}
	c.Read = func(p unsafe.Pointer, text []byte) error {
		ns, err := codec.ParseTimeOfDay(string(text))
		if err != nil {
			d, err := codec.ParseDuration(string(text))
			if err != nil || d.Months != 0 || d.Days != 0 {
				return errDuration
			}
			ns = d.Nanoseconds
		}
		*(*int64)(p) = ns
		return nil
	}
}

var errDuration = errors.New("not nanoseconds, a time of day (15:04:05), or a duration of hours and less (1h2m3s); " +
	"months and days need a gocql.Duration")

func cqlDurations(c *Cell) {
	c.form = quoted
	c.Append = func(dst []byte, p unsafe.Pointer) ([]byte, error) {
		return codec.AppendDuration(dst, *(*gocql.Duration)(p))
	}
	c.Read = func(p unsafe.Pointer, text []byte) (err error) {
		*(*gocql.Duration)(p), err = codec.ParseDuration(string(text))
		return err
	}
}

func varints(c *Cell) {
	c.form = bare
	c.Append = func(dst []byte, p unsafe.Pointer) ([]byte, error) { return (*big.Int)(p).Append(dst, 10), nil }
	c.Read = func(p unsafe.Pointer, text []byte) error { return codec.ParseVarint(string(text), (*big.Int)(p)) }
}

func decimals(c *Cell) {
	c.form = quoted
	c.Append = func(dst []byte, p unsafe.Pointer) ([]byte, error) {
		return decimal.Append(dst, (*inf.Dec)(p)), nil
	}
	c.Read = func(p unsafe.Pointer, text []byte) error { return decimal.Parse(string(text), (*inf.Dec)(p)) }
}

var errAddress = errors.New("not an address")

func addresses(c *Cell) {
	c.form = quoted
	c.Null = func(p unsafe.Pointer) bool { return !(*netip.Addr)(p).IsValid() }
	c.Append = func(dst []byte, p unsafe.Pointer) ([]byte, error) { return (*netip.Addr)(p).AppendTo(dst), nil }
	c.Read = func(p unsafe.Pointer, text []byte) error {
		a, err := netip.ParseAddr(string(text))
		if err != nil {
			return errAddress
		}
		*(*netip.Addr)(p) = a
		return nil
	}
}

func ips(c *Cell) {
	c.form = quoted
	c.Null = func(p unsafe.Pointer) bool { return *(*net.IP)(p) == nil }
	c.Append = func(dst []byte, p unsafe.Pointer) ([]byte, error) {
		a, ok := netip.AddrFromSlice(*(*net.IP)(p))
		if !ok {
			return dst, errAddress
		}
		return a.Unmap().AppendTo(dst), nil
	}
	c.Read = func(p unsafe.Pointer, text []byte) error {
		a, err := netip.ParseAddr(string(text))
		switch {
		case err != nil || a.Zone() != "":
			return errAddress
		case a.Is4In6():
			return codec.ErrMapped
		}
		*(*net.IP)(p) = a.AsSlice()
		return nil
	}
}

func uuids(c *Cell) {
	c.form = quoted
	c.Append = func(dst []byte, p unsafe.Pointer) ([]byte, error) { return codec.AppendUUID(dst, *(*[16]byte)(p)), nil }
	c.Read = func(p unsafe.Pointer, text []byte) (err error) {
		*(*[16]byte)(p), err = codec.ParseUUID(string(text))
		return err
	}
}

func bytesOf(c *Cell) {
	c.form = quoted
	c.Null = func(p unsafe.Pointer) bool { return *(*[]byte)(p) == nil }
	c.Append = func(dst []byte, p unsafe.Pointer) ([]byte, error) { return codec.AppendHex(dst, *(*[]byte)(p)), nil }
	c.Read = func(p unsafe.Pointer, text []byte) (err error) {
		*(*[]byte)(p), err = codec.ParseHex(nil, text)
		return err
	}
}
