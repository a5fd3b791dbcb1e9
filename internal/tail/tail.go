// Package tail remembers a place in a file by its offset and a checksum of the
// bytes before it, so that a file that was cut, changed or exchanged meanwhile
// is noticed.
package tail

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
)

// Size is how many bytes before a place the checksum covers, or all if there are
// fewer.
const Size = 4 << 10

// ErrChanged: the file is not as it was at the place.
var ErrChanged = errors.New("the file is not the one it was")

// Place is a place in a file.
type Place struct {
	Offset int64  `json:"offset"`
	Sum    string `json:"sum"` // SHA-256 of the bytes before it
}

// At is the place at an offset, with these bytes before it: the last Size of
// them, or all.
func At(offset int64, before []byte) Place {
	sum := sha256.Sum256(before)
	return Place{Offset: offset, Sum: hex.EncodeToString(sum[:])}
}

// Before reads the bytes before an offset that a place is known by.
func Before(f io.ReaderAt, offset int64) ([]byte, error) {
	before := make([]byte, min(offset, Size))
	_, err := f.ReadAt(before, offset-int64(len(before)))
	if errors.Is(err, io.EOF) {
		err = fmt.Errorf("%w: it is shorter than %d bytes", ErrChanged, offset)
	}
	return before, err
}

// Find returns the bytes before the place if the file is as it was there, and
// ErrChanged if it is shorter or has others.
func (p Place) Find(f io.ReaderAt) ([]byte, error) {
	if p.Offset < 0 {
		return nil, fmt.Errorf("%w: an offset is negative", ErrChanged)
	}
	before, err := Before(f, p.Offset)
	if err != nil {
		return nil, err
	}
	if At(p.Offset, before) != p {
		return nil, fmt.Errorf("%w: it has other bytes before offset %d", ErrChanged, p.Offset)
	}
	return before, nil
}

// Last keeps the last Size bytes of what is added.
type Last struct{ buf []byte }

// Add adds bytes; it copies them.
func (l *Last) Add(b []byte) {
	if len(b) >= Size {
		l.buf = append(l.buf[:0], b[len(b)-Size:]...)
		return
	}
	if len(l.buf)+len(b) > 4*Size {
		l.buf = l.buf[:copy(l.buf, l.Bytes())]
	}
	l.buf = append(l.buf, b...)
}

// Bytes are the last ones, until the next Add.
func (l *Last) Bytes() []byte { return l.buf[max(0, len(l.buf)-Size):] }
