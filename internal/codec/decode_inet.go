package codec

import (
	"net/netip"
	"reflect"
	"unsafe"
)

// decodeInet serves net.IP (as many bytes as the server sent; nil for null and empty), netip.Addr (invalid for null
// and empty) and strings, in which an IPv4 address inside IPv6 is written as IPv4, as the server does.
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
			_, err := addrOf(data)
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
			return a.Unmap().AppendTo(dst), nil
		}), nil
	}
	return nil, unfit(t, rt)
}
