package parquetcell

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/rxcql/rxcql/internal/codec"
)

// errCorrupt: bytes are not a value of their type.
var errCorrupt = errors.New("the bytes are not a value of this type")

// errEmpty: Cassandra lets most types have a value of no bytes that is not null, and Parquet has no
// such value.
var errEmpty = errors.New("it is the empty value (no bytes, and not null), which Parquet has no form for: " +
	"write null or a value in its place, or leave the row out (rxcql.WithRowErrors)")

// splitter takes the elements of a value off its bytes.
type splitter struct {
	rest []byte
}

func (s *splitter) take(n int) ([]byte, error) {
	if n < 0 || n > len(s.rest) {
		return nil, errCorrupt
	}
	b := s.rest[:n:n]
	s.rest = s.rest[n:]
	return b, nil
}

func (s *splitter) int32() (int, error) {
	b, err := s.take(4)
	if err != nil {
		return 0, err
	}
	return int(int32(binary.BigEndian.Uint32(b))), nil //nolint:gosec // lengths are signed: below zero is null
}

// element takes a value with its length before it; nil is null.
func (s *splitter) element() ([]byte, error) {
	n, err := s.int32()
	if err != nil || n < 0 {
		return nil, err
	}
	return s.take(n)
}

// packed takes an element of a vector, which has a length before it only if its type has no fixed
// one.
func (s *splitter) packed(t *codec.Type) ([]byte, error) {
	if n := t.PackedLen(); n > 0 {
		return s.take(n)
	}
	n, err := s.vint()
	if err != nil {
		return nil, err
	}
	if n > uint64(len(s.rest)) {
		return nil, errCorrupt
	}
	return s.take(int(n)) //nolint:gosec // at most len(rest)
}

// vint takes an unsigned number of 1 to 9 bytes: the leading ones of the first tell how many
// follow.
func (s *splitter) vint() (uint64, error) {
	b, err := s.take(1)
	if err != nil {
		return 0, err
	}
	more := bits.LeadingZeros8(^b[0])
	v := uint64(b[0]) & (0xff >> more)
	if b, err = s.take(more); err != nil {
		return 0, err
	}
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return v, nil
}

// end returns an error if bytes are left.
func (s *splitter) end() error {
	if len(s.rest) > 0 {
		return errCorrupt
	}
	return nil
}

// appendVint appends what vint takes.
func appendVint(dst []byte, v uint64) []byte {
	n := min((bits.Len64(v|1)-1)/7+1, 9)
	at := len(dst)
	dst = append(dst, make([]byte, n)...)
	for i := n - 1; i >= 0; i-- {
		dst[at+i] = byte(v)
		v >>= 8
	}
	dst[at] |= ^byte(0xff >> (n - 1))
	return dst
}

// putLength writes the length of what follows after the four bytes at an offset, -1 for null.
func putLength(dst []byte, at int, null bool) ([]byte, error) {
	n := len(dst) - at - 4
	switch {
	case null:
		dst = dst[:at+4]
		n = -1
	case n > math.MaxInt32:
		return dst, fmt.Errorf("a value has %d bytes, and the protocol allows %d", n, math.MaxInt32)
	}
	binary.BigEndian.PutUint32(dst[at:], uint32(int32(n))) //nolint:gosec // checked
	return dst, nil
}
