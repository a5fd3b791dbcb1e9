package main

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"sync/atomic"

	"github.com/klauspost/compress/gzip"
)

//go:embed flights-200k.csv.gz
var embedded []byte

// flightFile is a file of flights, open at its first row. It is read once, row
// by row: memory does not grow with the file.
type flightFile struct {
	name string
	rows iter.Seq2[Flight, error]
	// position tells how far reading has come, in units of the file's own. It
	// may be called while rows are read.
	position func() (done, total int64)
	closer   io.Closer
	in       io.ReaderAt
	size     int64
}

// sum tells files apart by what is in them.
func (f *flightFile) sum() (string, error) {
	hash := sha256.New()
	if _, err := io.Copy(hash, io.NewSectionReader(f.in, 0, f.size)); err != nil {
		return "", &fileError{File: f.name, Err: err}
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// Close closes the file.
func (f *flightFile) Close() error { return f.closer.Close() }

// content is what a file is read from.
type content interface {
	io.Reader
	io.ReaderAt
	io.Closer
}

// openFlights opens a file, or the embedded one for "". What the file is, CSV,
// CSV in gzip or Parquet, is told by how it begins, not by its name.
func openFlights(path string) (*flightFile, error) {
	if path == "" {
		in := struct {
			*bytes.Reader
			io.Closer
		}{bytes.NewReader(embedded), io.NopCloser(nil)}
		return newFlightFile("flights-200k.csv.gz (embedded)", in, int64(len(embedded)))
	}
	in, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--flights: %w", err)
	}
	info, err := in.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("--flights: %s is a folder: name a file", path)
	}
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	f, err := newFlightFile(path, in, info.Size())
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	return f, nil
}

const (
	gzipMagic    = "\x1f\x8b"
	parquetMagic = "PAR1"
)

func newFlightFile(name string, in content, size int64) (*flightFile, error) {
	counted := &countingReader{in: in}
	start := bufio.NewReaderSize(counted, 64<<10)
	f := &flightFile{name: name, closer: in, in: in, size: size}
	f.position = func() (int64, int64) { return counted.n.Load(), size }
	var text io.Reader = start
	switch {
	case begins(start, parquetMagic):
		return f, f.openParquet(in, size)
	case begins(start, gzipMagic):
		unpacked, err := gzip.NewReader(start)
		if err != nil {
			return nil, &fileError{File: name, Err: err}
		}
		inner := bufio.NewReader(unpacked)
		if begins(inner, parquetMagic) {
			return nil, &fileError{File: name, Err: errors.New("it is Parquet within gzip, which cannot be read: unpack it first")}
		}
		text = inner
	}
	return f, f.openCSV(text)
}

func begins(r *bufio.Reader, magic string) bool {
	start, _ := r.Peek(len(magic)) // a shorter file begins otherwise
	return string(start) == magic
}

// countingReader counts the bytes read through it.
type countingReader struct {
	in io.Reader
	n  atomic.Int64
}

func (c *countingReader) Read(p []byte) (int, error) {
	n, err := c.in.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// fileError says where in a file something is wrong, as far as it is known.
type fileError struct {
	File   string
	Unit   string // what At counts: "line" or "row", from 1
	At     int64
	Column string
	Err    error
}

func (e *fileError) Error() string {
	where := e.File
	if e.Unit != "" {
		where += fmt.Sprintf(", %s %d", e.Unit, e.At)
	}
	if e.Column != "" {
		where += ", column " + e.Column
	}
	return fmt.Sprintf("%s: %v", where, e.Err)
}

// Unwrap returns the reason.
func (e *fileError) Unwrap() error { return e.Err }
