// Package pack compresses files so that they can be ended, and continued, at any moment: what is
// written is a sequence of members (gzip, RFC 1952) or frames (zstd, RFC 8878), each whole by
// itself. Every reader of the formats reads such a sequence as one file.
package pack

import (
	"io"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
)

// Kind is a way to compress.
type Kind uint8

// The kinds. Files of kind None are as they are.
const (
	None Kind = iota
	Gzip
	Zstd
)

// String is the kind's name in facts and errors.
func (k Kind) String() string { return [...]string{"none", "gzip", "zstd"}[k] }

// zstdWindow bounds what a frame refers back to, and with it the memory of writers and readers.
const zstdWindow = 1 << 20

// Writer writes members into another writer. What is held of a member is under 2 MiB.
type Writer struct {
	kind Kind
	to   io.Writer
	enc  encoder
	open bool
}

type encoder interface {
	io.WriteCloser
	Reset(to io.Writer)
}

// NewWriter makes a writer of a kind other than None.
func NewWriter(kind Kind, to io.Writer) *Writer { return &Writer{kind: kind, to: to} }

// Write compresses bytes. It begins a member if none is open.
func (w *Writer) Write(b []byte) (int, error) {
	if !w.open {
		if err := w.begin(); err != nil {
			return 0, err
		}
	}
	return w.enc.Write(b)
}

func (w *Writer) begin() error {
	if w.enc != nil {
		w.enc.Reset(w.to)
		w.open = true
		return nil
	}
	if w.kind == Gzip {
		w.enc = gzip.NewWriter(w.to)
		w.open = true
		return nil
	}
	// With a concurrency of 1 the encoder starts no goroutine.
	enc, err := zstd.NewWriter(w.to, zstd.WithEncoderConcurrency(1), zstd.WithWindowSize(zstdWindow), zstd.WithLowerEncoderMem(true))
	w.enc, w.open = enc, err == nil
	return err
}

// End ends the member: everything written so far can be read from what the other writer has. If
// none is open it does nothing.
func (w *Writer) End() error {
	if !w.open {
		return nil
	}
	w.open = false
	return w.enc.Close()
}

// Open reports whether a member is open.
func (w *Writer) Open() bool { return w.open }
