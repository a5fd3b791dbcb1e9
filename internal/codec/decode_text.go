package codec

import (
	"reflect"
	"unsafe"
)

// decodeText serves text, ascii, blob and unknown custom types. The bytes are not checked to be
// UTF-8: the server did. A []byte is nil for null and empty, but not nil, for an empty value.
func decodeText(t *Type, rt reflect.Type) (decodeFunc, error) {
	switch {
	case rt.Kind() == reflect.String && t.Kind != Custom:
		return func(s *decodeState, p unsafe.Pointer, data []byte) error {
			*(*string)(p) = s.text(data)
			return nil
		}, nil
	case byteSlice(rt):
		return func(s *decodeState, p unsafe.Pointer, data []byte) error {
			if data == nil {
				*(*[]byte)(p) = nil
				return nil
			}
			*(*[]byte)(p) = s.bytes(data)
			return nil
		}, nil
	}
	return nil, unfit(t, rt)
}

func byteSlice(rt reflect.Type) bool {
	return rt.Kind() == reflect.Slice && rt.Elem().Kind() == reflect.Uint8
}
