package codec

import "unsafe"

const (
	// chunkSize is what text is carved from, and so the most that one kept string can pin.
	chunkSize = 1 << 10
	// ownSize is the length past which a value gets an allocation of its own.
	ownSize = 256
)

// arena gives small values places in shared chunks. Chunks are never written twice and only the
// garbage collector frees them, so what it gives stays valid for as long as it is kept.
type arena struct {
	free []byte
	// kept counts the bytes of the values given since the start of the row, beyond the row's own
	// struct.
	kept int
}

// bytes copies src; it is never nil and its capacity is its length, so appending to it cannot reach
// a neighbour.
func (a *arena) bytes(src []byte) []byte {
	n := len(src)
	switch {
	case n == 0:
		return []byte{}
	case n > ownSize:
		a.kept += n
		dst := make([]byte, n)
		copy(dst, src)
		return dst
	case n > len(a.free):
		a.free = make([]byte, chunkSize)
	}
	a.kept += n
	dst := a.free[:n:n]
	a.free = a.free[n:]
	copy(dst, src)
	return dst
}

// text copies src into a string.
func (a *arena) text(src []byte) string {
	if len(src) == 0 {
		return ""
	}
	b := a.bytes(src)
	return unsafe.String(unsafe.SliceData(b), len(b))
}
