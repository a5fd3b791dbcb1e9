package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"unicode/utf8"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/csvrow"
	"github.com/rxcql/rxcql/internal/lines"
)

// fileFormat turns a file into rows, in one run.
type fileFormat[T any] interface {
	// begin reads what stands before the rows. For a job to go on, the facts must be the same
	// again.
	begin(in *lines.Reader) ([]rxcql.Fact, error)
	// record reads the next record and leaves it to be accepted. It accepts an empty line itself,
	// and then returns neither a record nor an error. At the end it returns io.EOF. After any other
	// error it is not known where the next record begins.
	record(in *lines.Reader) ([]byte, error)
	// row decodes the record, the last one that record returned, into a zero T.
	row(record []byte, into *T) error
}

// format makes what turns one file into rows. ctx is that of the call of begin.
type format[T any] func(ctx context.Context, cfg fileConfig) fileFormat[T]

// file is the description of a source that reads a file, or what a reader gives. Runs do not change
// it.
type file[T any] struct {
	name, path string
	open       Open // nil for a file
	cfg        fileConfig
	format     format[T]
}

// fileSource reads a file. Its name is that of the stage, by which a job recognizes it. The name
// has no folder, so that files can be moved.
func fileSource[T any](name, path string, cfg fileConfig, format format[T], err error) rxcql.Stream[T] {
	if path == "" {
		err = errors.Join(errors.New("the path is empty"), err)
	}
	s := &file[T]{name: name, path: path, cfg: cfg, format: format}
	info := rxcql.StageInfo{Name: name + " " + filepath.Base(path), Source: true, File: path, Err: err, Check: s.check}
	return rxcql.NewStream(info, s.run)
}

// readerSource reads what open gives. Check does not open it, since what is read of a pipe is gone.
func readerSource[T any](kind, name string, open Open, cfg fileConfig, format format[T], err error) rxcql.Stream[T] {
	if name == "" {
		err = errors.Join(errors.New("the name is empty: errors and jobs need one"), err)
	}
	if open == nil {
		err = errors.Join(errors.New("the function that opens the reader is nil"), err)
	}
	s := &file[T]{name: kind, path: name, open: open, cfg: cfg, format: format}
	info := rxcql.StageInfo{Name: kind + " " + name, Source: true, Err: err, Check: func(ctx context.Context) error {
		_, err := cfg.table(ctx)
		return err
	}}
	return rxcql.NewStream(info, s.run)
}

// check opens the file and reads its beginning.
func (s *file[T]) check(ctx context.Context) error {
	r, err := s.begin(ctx)
	if err != nil {
		return err
	}
	return r.close()
}

func (s *file[T]) begin(ctx context.Context) (*fileReader[T], error) {
	return openFile(ctx, s.path, s.open, s.cfg.maxLine, s.cfg.latin1(), s.format(ctx, s.cfg))
}

// run reads the file in the goroutine that runs the stream.
func (s *file[T]) run(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
	defer st.Input().Done()
	r, err := s.begin(ctx)
	if err != nil {
		return st.Fail(err)
	}
	defer func() { _ = r.close() }()
	done, begun, err := st.Resume(rxcql.Identity{Facts: r.facts, Grows: true, Begun: r.known})
	switch {
	case err != nil:
		return err
	case len(done) > 0:
		st.Measured(1, 1)
		return out.Done(ctx, false)
	}
	var track *flow.Track
	if len(begun) > 0 {
		track = begun[0]
		if _, state := track.From(); state != nil {
			if err := r.goOn(state); err != nil {
				return st.Fail(err)
			}
		}
	}
	b := newPaging(ctx, st, out, s.cfg.pageRows, track)
	defer b.drop()
	if b.measure = r.measured(); b.measure != nil {
		st.Measured(b.measure())
	}
	if st.Run().HasCheckpoint() {
		b.state = r.place
	}
	return b.end(ctx, r.rows(ctx, b))
}

// rows reads the file to its end. After Stop, a row that has been read is still written.
func (r *fileReader[T]) rows(ctx context.Context, b *paging[T]) error {
	for {
		if err := b.interrupted(ctx); err != nil {
			return err
		}
		var row T
		record, err := r.format.record(r.in)
		switch {
		case err == io.EOF: //nolint:errorlint // lines returns it unwrapped; a user's method may wrap one
			return nil
		case err != nil:
			return r.fail(ctx, b, err)
		case record == nil:
			continue
		}
		if err = r.format.row(record, &row); err == nil {
			r.in.Accept()
			err = b.add(ctx, row)
		} else if b.st.SkipsFailed() {
			kept, size, wrong := r.leaveOut(b.st, record, err)
			err = b.leaveOut(ctx, kept, size, wrong)
		} else {
			err = r.fail(ctx, b, err)
		}
		if err != nil {
			return err
		}
	}
}

// fail delivers the rows before, and returns the error with the place that failed.
func (r *fileReader[T]) fail(ctx context.Context, b *paging[T], err error) error {
	at := len(b.rows) + len(b.bad)
	if readFailed(err) {
		at = -1
	}
	failed := &rxcql.RowError{Range: flow.WholeRange.String(), Page: b.page, Row: at, Err: r.wrong(err)}
	if err := b.deliver(ctx); err != nil {
		return err
	}
	return b.st.Fail(failed)
}

// leaveOut accepts a record that is no row. For a dead letter it is kept as text without its line's
// end, as bytes if it is not UTF-8. That of a file in ISO 8859-1 is always kept as text: a letter
// is JSON, so what people correct in it is in UTF-8.
func (r *fileReader[T]) leaveOut(st *rxcql.Stage, record []byte, err error) (kept any, size int, wrong error) {
	wrong = r.wrong(err) // while the line is known
	if st.WantsFailedRows() {
		text := bytes.TrimSuffix(bytes.TrimSuffix(record, []byte("\n")), []byte("\r"))
		switch size = len(text); {
		case r.latin1:
			decoded := csvrow.FromLatin1(nil, text)
			kept, size = string(decoded), len(decoded)
		case utf8.Valid(text):
			kept = string(text)
		default:
			kept = bytes.Clone(text)
		}
	}
	r.in.Accept()
	return kept, size, wrong
}

// Once returns an Open for what can be read only once, such as os.Stdin, which is not closed. A
// second reading is an error that says so: of operators.Retry, of a job that goes on.
func Once(in io.Reader) Open {
	var opened onlyOnce
	return func(context.Context) (io.ReadCloser, error) {
		if in == nil {
			return nil, errors.New("the reader is nil")
		}
		if opened.again() {
			return nil, fmt.Errorf("%w: it can be read only once", rxcql.ErrSingleRun)
		}
		return io.NopCloser(in), nil
	}
}
