package widen

import (
	"encoding/binary"
	"errors"
)

var (
	errShort = errors.New("the value ends within an element")
	errLong  = errors.New("the value has bytes behind its last element")
)

// elements widens those of a list, a set or a map, which fns takes in turns: of a map a key and a
// value.
func elements(fns []Func) Func {
	return func(dst, value []byte) ([]byte, error) {
		if len(value) < 4 {
			return dst, errShort
		}
		n := int(int32(binary.BigEndian.Uint32(value)))
		if n < 0 || n > len(value)/(4*len(fns)) {
			return dst, errShort
		}
		dst, rest := append(dst, value[:4]...), value[4:]
		var err error
		for i := range n * len(fns) {
			if dst, rest, err = one(dst, rest, fns[i%len(fns)]); err != nil {
				return dst, err
			}
		}
		if len(rest) > 0 {
			return dst, errLong
		}
		return dst, nil
	}
}

// parts widens the parts of a tuple, or of a user-defined type. Parts at the end may be missing:
// they are null.
func parts(fns []Func, most int) Func {
	return func(dst, value []byte) (_ []byte, err error) {
		rest := value
		for i := 0; len(rest) > 0; i++ {
			if i == most {
				return dst, errLong
			}
			if dst, rest, err = one(dst, rest, fns[i]); err != nil {
				return dst, err
			}
		}
		return dst, nil
	}
}

// one widens an element with its length before it, which is negative for null.
func one(dst, rest []byte, fn Func) (_, behind []byte, err error) {
	if len(rest) < 4 {
		return dst, nil, errShort
	}
	n := int(int32(binary.BigEndian.Uint32(rest)))
	if n > len(rest)-4 {
		return dst, nil, errShort
	}
	if n < 0 {
		return append(dst, rest[:4]...), rest[4:], nil
	}
	at := len(dst)
	dst = append(dst, rest[:4]...)
	value := rest[4 : 4+n : 4+n]
	if fn == nil {
		dst = append(dst, value...)
	} else if dst, err = fn(dst, value); err != nil {
		return dst, nil, err
	}
	binary.BigEndian.PutUint32(dst[at:], uint32(len(dst)-at-4)) //nolint:gosec // no frame has so many bytes
	return dst, rest[4+n:], nil
}

// packed widens the elements of a vector, each of size bytes.
func packed(fn Func, size, dim int) Func {
	return func(dst, value []byte) (_ []byte, err error) {
		if len(value) != size*dim {
			return dst, errLength
		}
		for ; len(value) > 0; value = value[size:] {
			if dst, err = fn(dst, value[:size:size]); err != nil {
				return dst, err
			}
		}
		return dst, nil
	}
}
