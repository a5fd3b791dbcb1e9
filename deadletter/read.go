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

// Read returns the letters of a file in the order in which they were written. The file is opened
// when the sequence is run, which may be done again. Use it with source.Seq. Letters that are added
// meanwhile, because rows fail again, are left for the next time.
//
// T is the type of the rows. Letters of other types are an error, unless Stages leaves them out.
// With json.RawMessage as T, rows of any type come as they are.
//
// An error for a letter that cannot be read wraps ErrLetter, names the line, and shows nothing of
// it. The sequence then goes on with the next letter, unless the loop is left; source.Seq ends with
// the first error. If a run or its machine was killed, the last letter may be cut off: that is
// ErrTorn. Such a letter never counted as written. So the next run of the pipeline reads its row
// again, and cuts off the rest of the letter.
//
// An option that is nil is an error of the sequence (rxcql.ErrConfig). In memory is one letter at a
// time.
func Read[T any](path string, opts ...ReadOption) iter.Seq2[Letter[T], error] {
	cfg, cfgErr := newReadConfig(opts)
	return func(yield func(Letter[T], error) bool) {
		if cfgErr != nil {
			yield(Letter[T]{}, cfgErr)
			return
		}
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

// IsFile reports whether a file begins as one of letters does, as far as its first bytes tell.
func IsFile(path string) (bool, error) {
	about, err := os.Stat(path)
	if err != nil {
		return false, fmt.Errorf("deadletter: %w", err)
	}
	if !about.Mode().IsRegular() { // what is read of a pipe is gone
		return false, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return false, fmt.Errorf("deadletter: %w", err)
	}
	defer f.Close()
	first := make([]byte, len(begins))
	n, err := io.ReadFull(f, first)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return false, fmt.Errorf("deadletter: %w", err)
	}
	return string(first[:n]) == begins, nil
}

// read is Read from any reader.
func read[T any](from io.Reader, name string, cfg *readConfig, yield func(Letter[T], error) bool) {
	in := bufio.NewReaderSize(from, 64<<10)
	for n := 1; ; n++ {
		data, err := in.ReadBytes('\n')
		switch {
		case errors.Is(err, io.EOF) && len(data) == 0:
			return
		case errors.Is(err, io.EOF):
			yield(Letter[T]{}, fmt.Errorf("%w: %s, line %d: the run was interrupted while it wrote this letter; its row did not count as done, "+
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
