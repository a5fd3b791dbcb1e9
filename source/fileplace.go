package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/tail"
)

// fileState is the position at which a source goes on: in the decompressed text.
type fileState struct {
	tail.Place
	Line int64 `json:"line"` // before it
}

func (r *fileReader[T]) place() []byte {
	at, line := r.in.Place()
	state, err := json.Marshal(fileState{at, line})
	if err != nil {
		panic(err) // cannot happen: it has only numbers and hexadecimal digits
	}
	return state
}

// known checks the position that an earlier run has left as far as that is possible without reading
// on: what is compressed, or comes from a reader, is read up to there only by goOn.
func (r *fileReader[T]) known(state []byte) error {
	if r.from.file == nil {
		_, err := placeOf(state)
		return err
	}
	_, _, err := r.find(state)
	return err
}

// goOn moves to the position that an earlier run has left.
func (r *fileReader[T]) goOn(state []byte) error {
	if r.from.file == nil {
		return r.skip(state)
	}
	at, before, err := r.find(state)
	if err != nil || at.Offset == 0 { // nothing was read; by now there may be a byte order mark
		return err
	}
	if _, err := r.from.file.Seek(at.Offset, io.SeekStart); err != nil {
		return err
	}
	r.in.GoOn(r.from.file, at.Offset, at.Line, before)
	return nil
}

// skip reads up to that position.
func (r *fileReader[T]) skip(state []byte) error {
	at, err := placeOf(state)
	if err != nil || at.Offset == 0 {
		return err
	}
	switch err := r.in.Skip(at.Offset, at.Line); {
	case errors.Is(err, io.EOF):
		return r.foreign(fmt.Errorf("%w: it is shorter than %d bytes", tail.ErrChanged, at.Offset))
	case err != nil:
		return r.wrong(err)
	}
	if is, _ := r.in.Place(); is != at.Place {
		return r.foreign(fmt.Errorf("%w: it has other bytes before offset %d", tail.ErrChanged, at.Offset))
	}
	next, err := r.in.Peek(2)
	if err != nil {
		return r.wrong(err)
	}
	end, err := r.addedEnd(at, r.in.Before(), next)
	if err == nil {
		err = r.in.Skip(at.Offset+int64(len(end)), at.Line)
	}
	return err
}

func placeOf(state []byte) (at fileState, err error) {
	if err := json.Unmarshal(state, &at); err != nil {
		return at, fmt.Errorf("%w: a position in a file cannot be read", rxcql.ErrCheckpointDamaged)
	}
	return at, nil
}

func (r *fileReader[T]) foreign(err error) error {
	return fmt.Errorf("%w: %s is not the file that the job has read: %w; bring that one back, or begin anew with another job name (and another checkpoint.File)",
		rxcql.ErrCheckpointForeign, r.path, err)
}

// find finds that position in the file, and returns the bytes before it.
func (r *fileReader[T]) find(state []byte) (at fileState, before []byte, err error) {
	if at, err = placeOf(state); err != nil {
		return at, nil, err
	}
	before, err = at.Find(r.from.file)
	if errors.Is(err, tail.ErrChanged) {
		err = r.foreign(err)
	}
	if err != nil {
		return at, nil, err
	}
	next := make([]byte, 2)
	n, err := r.from.file.ReadAt(next, at.Offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return at, nil, err
	}
	end, err := r.addedEnd(at, before, next[:n])
	at.Offset += int64(len(end))
	return at, append(before, end...), err
}

// addedEnd returns what has been added to a last line that had no end when it was read: its end, or
// nothing. If anything else was added, that line was another row. A format whose records are not
// lines has none.
func (r *fileReader[T]) addedEnd(at fileState, before, next []byte) ([]byte, error) {
	_, elements := any(r.format).(interface{ elements() })
	switch {
	case at.Line == 0 || bytes.HasSuffix(before, []byte("\n")), elements:
		return nil, nil
	case len(next) == 0 || string(next) == "\r\n":
		return next, nil
	case next[0] == '\n':
		return next[:1], nil
	}
	return nil, fmt.Errorf("%w: %s, line %d: it was the last line and had no line end when the job read it, and it has become longer since; "+
		"begin anew with another job name (and another checkpoint.File)", rxcql.ErrCheckpointForeign, r.path, at.Line)
}

// onlyOnce reports whether something was done before.
type onlyOnce struct{ done atomic.Bool }

func (o *onlyOnce) again() bool { return o.done.Swap(true) }
