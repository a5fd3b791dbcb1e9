package source

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/lines"
)

// fileReader is a file that is being read.
type fileReader[T any] struct {
	path   string // or the name of what a reader reads
	from   *content
	size   float64 // when it was opened
	in     *lines.Reader
	format fileFormat[T]
	latin1 bool // its text is not in UTF-8, but in ISO 8859-1
	facts  []rxcql.Fact
}

// openFile opens a file and reads what stands before its rows.
func openFile[T any](ctx context.Context, path string, open Open, maxLine int, latin1 bool, format fileFormat[T]) (*fileReader[T], error) {
	from, err := openContent(ctx, path, open)
	if err != nil {
		return nil, err
	}
	r := &fileReader[T]{path: path, from: from, in: lines.New(from.in, maxLine), format: format, latin1: latin1}
	var first []byte
	if first, err = r.in.Peek(4 << 10); err == nil {
		err = notText(first)
	}
	switch {
	case err != nil:
	case !latin1:
		err = r.in.SkipBOM()
	case len(first) >= 3 && string(first[:3]) == "\xef\xbb\xbf":
		err = fmt.Errorf("%w: the file begins with the mark of UTF-8, and the dialect says ISO 8859-1: read it as UTF-8", rxcql.ErrSchema)
	}
	if err == nil {
		r.facts, err = r.format.begin(r.in)
	}
	if err != nil {
		return nil, errors.Join(r.wrong(err), from.close())
	}
	if from.size != nil {
		r.size = float64(from.size())
	}
	return r, nil
}

func (r *fileReader[T]) close() error { return r.from.close() }

// measured returns the function that says how many bytes have been read, of how many; nil if that
// is not known. A compressed file is measured by its compressed bytes.
func (r *fileReader[T]) measured() func() (done, total float64) {
	if r.from.size == nil {
		return nil
	}
	return r.measure
}

// measure is for a file. It may have grown since it was opened.
func (r *fileReader[T]) measure() (done, total float64) {
	if done = float64(r.in.Offset()); r.from.file == nil {
		done = float64(r.from.raw.n)
	}
	if done > r.size {
		r.size = float64(r.from.size())
	}
	return done, max(done, r.size)
}

// wrong adds the file and the line to an error. An error of reading names the file itself.
func (r *fileReader[T]) wrong(err error) error {
	if readFailed(err) {
		return err
	}
	failed := &lineError{path: r.path, line: r.in.Line(), err: err}
	if named, is := any(r.format).(interface{ recordColumns() []string }); is {
		failed.columns = named.recordColumns()
	}
	return failed
}
