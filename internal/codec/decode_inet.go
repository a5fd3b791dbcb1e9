package codec

import (
	"net/netip"
	"reflect"
	"unsafe"
)

// ErrMapped: a net.IP of 16 bytes would be written back as 4, and be another key.
var ErrMapped = badValue("an IPv4 address in 16 bytes (::ffff:a.b.c.d), which net.IP does not tell from one in 4; use netip.Addr")

// decodeInet serves net.IP and other bytes (as many as the server sent; nil for null and
// empty), netip.Addr (invalid for null and empty) and strings. An IPv4 address in 16 bytes,
// ::ffff:1.2.3.4, is no net.IP.
func decodeInet(t *Type, rt reflect.Type) (decodeFunc, error) {
	switch {
	case rt == typeAddr:
		return scalar(addrOf), nil
	case byteSlice(rt):
		return func(s *decodeState, p unsafe.Pointer, data []byte) error {
			*(*[]byte)(p) = nil
			if len(data) == 0 {
				return nil
			}
			a, err := addrOf(data)
			if err == nil && rt == typeIP && a.Is4In6() {
				err = ErrMapped
			}
			if err == nil {
				*(*[]byte)(p) = s.bytes(data)
			}
			return err
		}, nil
	case rt.Kind() == reflect.String:
		return intoString(func(dst, data []byte) ([]byte, error) {
			a, err := addrOf(data)
			if err != nil || a == (netip.Addr{}) {
				return dst, err
			}
			return a.AppendTo(dst), nil
		}), nil
	}
	return nil, unfit(t, rt)
}
