package source

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/tail"
)

// fileState is the position at which a source goes on.
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

// goOn moves to the position that an earlier run has left.
func (r *fileReader[T]) goOn(state []byte) error {
	at, before, err := r.find(state)
	if err != nil || at.Offset == 0 { // nothing was read; by now there may be a byte order mark
		return err
	}
	if _, err := r.f.Seek(at.Offset, io.SeekStart); err != nil {
		return err
	}
	r.in.GoOn(r.f, at.Offset, at.Line, before)
	return nil
}

// find finds that position in the file, and returns the bytes before it.
func (r *fileReader[T]) find(state []byte) (at fileState, before []byte, err error) {
	if err := json.Unmarshal(state, &at); err != nil {
		return at, nil, fmt.Errorf("%w: a position in a file cannot be read", rxcql.ErrCheckpointDamaged)
	}
	before, err = at.Find(r.f)
	if errors.Is(err, tail.ErrChanged) {
		err = fmt.Errorf("%w: %s is not the file that the job has read: %w; bring that one back, or begin anew with another job name (and another checkpoint.File)",
			rxcql.ErrCheckpointForeign, r.path, err)
	}
	if err != nil {
		return at, nil, err
	}
	end, err := r.lineEnd(at, before)
	at.Offset += int64(len(end))
	return at, append(before, end...), err
}

// lineEnd returns what has been added to a last line that had no end when it was read: its end, or
// nothing. If anything else was added, that line was another row.
func (r *fileReader[T]) lineEnd(at fileState, before []byte) ([]byte, error) {
	if at.Line == 0 || bytes.HasSuffix(before, []byte("\n")) {
		return nil, nil
	}
	next := make([]byte, 2)
	n, err := r.f.ReadAt(next, at.Offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	next = next[:n]
	switch {
	case n == 0 || string(next) == "\r\n":
		return next, nil
	case next[0] == '\n':
		return next[:1], nil
	}
	return nil, fmt.Errorf("%w: %s, line %d: it was the last line and had no line end when the job read it, and it has become longer since; "+
		"begin anew with another job name (and another checkpoint.File)", rxcql.ErrCheckpointForeign, r.path, at.Line)
}
