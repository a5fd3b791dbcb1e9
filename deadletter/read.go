package deadletter

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
)

// ErrTorn: the file ends in the middle of a letter.
var ErrTorn = errors.New("deadletter: the last letter is cut off")

// Read gives the letters of a file in the order in which they were written; the
// file is opened when the sequence is run, and may be run again. For source.Seq.
// Letters that come into the file meanwhile, of rows that fail again, are for the
// next time.
//
// T is the type of the rows: letters of other types are an error, unless Stages
// leaves them out. With T json.RawMessage rows of any type come as they are.
//
// After a letter that cannot be read the sequence goes on with the next one if it
// is not left (source.Seq ends with the first error); the error, which wraps
// ErrLetter, names the line and shows nothing of it. A run that was killed, or its machine, may leave the last letter
// cut off: that is ErrTorn. That letter never counted as written, so its row is
// read again by the next run of the pipeline, which also cuts the rest off.
//
// In memory is one letter at a time.
func Read[T any](path string, opts ...ReadOption) iter.Seq2[Letter[T], error] {
	cfg := newReadConfig(opts)
	return func(yield func(Letter[T], error) bool) {
		f, err := os.Open(path)
		if err != nil {
			yield(Letter[T]{}, fmt.Errorf("deadletter: %w", err))
			return
		}
		defer f.Close()
		about, err := f.Stat()
		if err != nil {
			yield(Letter[T]{}, fmt.Errorf("deadletter: %w", err))
			return
		}
		var from io.Reader = f
		if about.Mode().IsRegular() { // a pipe has no size
			from = io.LimitReader(f, about.Size())
		}
		read(from, path, cfg, yield)
	}
}

// read is Read from anything.
func read[T any](from io.Reader, name string, cfg *readConfig, yield func(Letter[T], error) bool) {
	in := bufio.NewReaderSize(from, 64<<10)
	for n := 1; ; n++ {
		data, err := in.ReadBytes('\n')
		switch {
		case errors.Is(err, io.EOF) && len(data) == 0:
			return
		case errors.Is(err, io.EOF):
			yield(Letter[T]{}, fmt.Errorf("%w: %s, line %d: the run was broken off while it wrote it; its row did not count as done, "+
				"and the next run reads it again", ErrTorn, name, n))
			return
		case err != nil:
			yield(Letter[T]{}, fmt.Errorf("deadletter: line %d: %w", n, err))
			return
		}
		l, err := parseLine(bytes.TrimSuffix(data, []byte("\n")))
		if err == nil && !cfg.wants(l.Stage) {
			continue
		}
		var letter Letter[T]
		if err == nil {
			letter, err = open[T](&l, cfg)
		}
		if err != nil {
			err = fmt.Errorf("%s, line %d: %w", name, n, err)
		}
		if !yield(letter, err) {
			return
		}
	}
}
