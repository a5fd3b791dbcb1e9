// Package lines reads a file line by line, and always knows where the last accepted line ends.
package lines

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/rxcql/rxcql/internal/tail"
)

// ErrTooLong: a record is longer than the reader allows.
var ErrTooLong = errors.New("the line, or a record with a quote left open, is longer than MaxLine")

// Reader reads records of one line, or of several. It holds the longest record
// so far, at most max bytes, and a buffer.
type Reader struct {
	src     *bufio.Reader
	max     int
	record  []byte
	pending int64  // lines in record
	ahead   []byte // read from src by Ahead, and not yet in a record

	offset int64 // where the last accepted record ends
	line   int64 // lines up to there
	last   tail.Last
}

const bufferSize = 64 << 10

// New returns a reader of records of up to limit bytes.
func New(src io.Reader, limit int) *Reader {
	return &Reader{src: bufio.NewReaderSize(src, bufferSize), max: limit}
}

// GoOn continues at an offset, after so many lines, with these bytes before it.
func (r *Reader) GoOn(src io.Reader, offset, line int64, before []byte) {
	r.src.Reset(src)
	r.offset, r.line, r.last, r.record, r.pending, r.ahead = offset, line, tail.Last{}, nil, 0, nil
	r.last.Add(before)
}

// SkipBOM passes over the mark that some programs put before UTF-8.
func (r *Reader) SkipBOM() error {
	const bom = "\ufeff"
	first, err := r.src.Peek(len(bom))
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if string(first) != bom {
		return nil
	}
	r.offset += int64(len(bom))
	r.last.Add(first)
	_, err = r.src.Discard(len(bom))
	return err
}

// Record reads the next line with its end, and more lines for as long as open
// says that the record is not whole. It returns io.EOF when nothing is left; at
// the end of the file a record may lack its line's end, or be open. The bytes are
// valid until the next call, and must not be changed. The record must be
// accepted before the next one is read.
func (r *Reader) Record(open func(line []byte) bool) ([]byte, error) {
	r.record, r.pending = r.record[:0], 0
	if cap(r.record) > 16*bufferSize { // a rare long one is not kept
		r.record = nil
	}
	for {
		begin := len(r.record)
		err := r.readLine()
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if len(r.record) == begin { // the end of the file
			if begin == 0 {
				return nil, io.EOF
			}
			return r.record, nil
		}
		r.pending++
		if open == nil || !open(r.record[begin:]) {
			return r.record, nil
		}
	}
}

// readLine adds one line to the record.
func (r *Reader) readLine() error {
	if len(r.ahead) > 0 {
		line, whole := firstLine(r.ahead)
		if len(r.record)+len(line) > r.max {
			return ErrTooLong
		}
		r.record = append(r.record, line...)
		if r.ahead = r.ahead[len(line):]; len(r.ahead) == 0 {
			r.ahead = nil
		}
		if whole {
			return nil
		}
	}
	for {
		part, err := r.src.ReadSlice('\n')
		if len(r.record)+len(part) > r.max {
			return ErrTooLong
		}
		r.record = append(r.record, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return err
		}
	}
}

// firstLine is the first line of a text, with its end, if that is there.
func firstLine(text []byte) (line []byte, whole bool) {
	if i := bytes.IndexByte(text, '\n'); i >= 0 {
		return text[:i+1], true
	}
	return text, false
}

// Ahead hands look the lines that follow the last record, until it wants no more,
// the file ends, or they are longer together than a record may be. They are kept
// for the records to come, and are read from the file once.
func (r *Reader) Ahead(look func(line []byte) (more bool)) error {
	for at := 0; at < r.max; {
		line, whole := firstLine(r.ahead[at:])
		if !whole {
			part, err := r.src.ReadSlice('\n')
			r.ahead = append(r.ahead, part...)
			switch {
			case err == nil, errors.Is(err, bufio.ErrBufferFull) && len(r.ahead) < r.max:
				continue
			case !errors.Is(err, io.EOF) && !errors.Is(err, bufio.ErrBufferFull):
				return err
			}
			if line = r.ahead[at:]; len(line) > 0 {
				look(line)
			}
			return nil
		}
		if at += len(line); !look(line) {
			return nil
		}
	}
	return nil
}

// Peek shows up to n of the bytes that the file begins with, before any record is
// read.
func (r *Reader) Peek(n int) ([]byte, error) {
	first, err := r.src.Peek(min(n, bufferSize))
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return first, err
}

// Skip moves the place on to an offset, by reading up to there; line is the number of lines up to
// it. The error is io.EOF if there are fewer bytes. It must not be called with a record that is not
// accepted, nor after Ahead.
func (r *Reader) Skip(to, line int64) error {
	for r.offset < to {
		part, err := r.src.Peek(int(min(to-r.offset, bufferSize)))
		r.offset += int64(len(part))
		r.last.Add(part)
		if _, discarded := r.src.Discard(len(part)); discarded != nil {
			return discarded
		}
		if err != nil && r.offset < to {
			return err
		}
	}
	r.line = line
	return nil
}

// Before is the last bytes before the place, as many as it is known by.
func (r *Reader) Before() []byte { return r.last.Bytes() }

// Scan reads a record byte by byte, up to the one at which next says that it ends there. With keep
// that byte stays for the next record. It returns io.EOF if nothing is left, and
// io.ErrUnexpectedEOF if the record has no end. The rest is as with Record.
func (r *Reader) Scan(next func(c byte) (end, keep bool)) ([]byte, error) {
	r.record, r.pending = r.record[:0], 0
	if cap(r.record) > 16*bufferSize {
		r.record = nil
	}
	for {
		c, err := r.src.ReadByte()
		switch {
		case errors.Is(err, io.EOF) && len(r.record) == 0:
			return nil, io.EOF
		case errors.Is(err, io.EOF):
			return nil, io.ErrUnexpectedEOF
		case err != nil:
			return nil, err
		}
		end, keep := next(c)
		if end && keep {
			return r.record, r.src.UnreadByte()
		}
		if len(r.record) == r.max {
			return nil, ErrTooLong
		}
		if r.record = append(r.record, c); c == '\n' {
			r.pending++
		}
		if end {
			return r.record, nil
		}
	}
}

// Limit is the most bytes in a record.
func (r *Reader) Limit() int { return r.max }

// Lines is how many lines the last record has, until it is accepted.
func (r *Reader) Lines() int64 { return r.pending }

// Accept moves the place on over the last record.
func (r *Reader) Accept() {
	r.offset += int64(len(r.record))
	r.line += r.pending
	r.last.Add(r.record)
	r.record, r.pending = r.record[:0], 0
}

// Line is the number of the line, from 1, that begins after what was accepted:
// that of the last record until it is accepted.
func (r *Reader) Line() int64 { return r.line + 1 }

// Offset is where the last accepted record ends.
func (r *Reader) Offset() int64 { return r.offset }

// Place is where the last accepted record ends, and how many lines are before.
func (r *Reader) Place() (at tail.Place, line int64) {
	return tail.At(r.offset, r.last.Bytes()), r.line
}
