package codec

import "math/bits"

// A vint is a number of 1 to 9 bytes; the leading ones of the first byte tell how many follow.
// Durations hold signed ones, zigzag-coded, and vectors unsigned ones as lengths.

func (r *reader) vint() (uint64, error) {
	if len(r.rest) == 0 {
		return 0, corrupt("no room for a vint")
	}
	first := r.rest[0]
	more := bits.LeadingZeros8(^first)
	if len(r.rest) <= more {
		return 0, corrupt("a vint is longer than the bytes left")
	}
	v := uint64(first) & (0xff >> more)
	for _, b := range r.rest[1 : 1+more] {
		v = v<<8 | uint64(b)
	}
	r.rest = r.rest[1+more:]
	return v, nil
}

func (r *reader) signedVint() (int64, error) {
	v, err := r.vint()
	return int64(v>>1) ^ -int64(v&1), err
}

func vintLen(v uint64) int {
	// Each byte after the first adds 7 bits until the ninth, which adds 8.
	return min((bits.Len64(v|1)-1)/7+1, 9)
}

// AppendVint writes a length as it stands before an element of a vector.
func AppendVint(buf []byte, v uint64) []byte { return appendVint(buf, v) }

func appendVint(buf []byte, v uint64) []byte {
	n := vintLen(v)
	buf = append(buf, make([]byte, n)...)
	putVint(buf[len(buf)-n:], v)
	return buf
}

// putVint fills dst, which is vintLen(v) long.
func putVint(dst []byte, v uint64) {
	for i := len(dst) - 1; i >= 0; i-- {
		dst[i] = byte(v)
		v >>= 8
	}
	dst[0] |= ^byte(0xff >> (len(dst) - 1))
}

func appendSignedVint(buf []byte, v int64) []byte {
	return appendVint(buf, uint64(v<<1)^uint64(v>>63))
}
