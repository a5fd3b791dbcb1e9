package source

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"unicode/utf8"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/filesys"
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

// file is the description of a source that reads a file. Runs do not change it.
type file[T any] struct {
	name, path string
	cfg        fileConfig
	format     func(ctx context.Context) fileFormat[T]
}

// stream puts the file's name into the name of the stage, by which a job recognizes it. The name
// has no folder, so that files can be moved.
func (s *file[T]) stream(err error) rxcql.Stream[T] {
	info := rxcql.StageInfo{Name: s.name + " " + filepath.Base(s.path), Source: true, File: s.path, Err: err, Check: s.check}
	return rxcql.NewStream(info, s.run)
}

// check opens the file and reads its beginning.
func (s *file[T]) check(ctx context.Context) error {
	r, err := s.open(ctx)
	if err != nil {
		return err
	}
	return r.f.Close()
}

// run reads the file in the goroutine that runs the stream.
func (s *file[T]) run(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
	defer st.Input().Done()
	r, err := s.open(ctx)
	if err != nil {
		return st.Fail(err)
	}
	defer r.f.Close()
	done, begun, err := st.Resume(rxcql.Identity{Facts: r.facts, Grows: true, Begun: func(state []byte) error {
		_, _, err := r.find(state)
		return err
	}})
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
	b.measure = r.measure
	st.Measured(r.measure())
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
			err = r.leaveOut(ctx, b, record, err)
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

// leaveOut skips a record that is no row. For a dead letter it is kept as text without its line's
// end, as bytes if it is not UTF-8.
func (r *fileReader[T]) leaveOut(ctx context.Context, b *paging[T], record []byte, err error) error {
	err = r.wrong(err) // while the line is known
	var kept any
	size := 0
	if b.st.WantsFailedRows() {
		text := bytes.TrimSuffix(bytes.TrimSuffix(record, []byte("\n")), []byte("\r"))
		if size = len(text); utf8.Valid(text) {
			kept = string(text)
		} else {
			kept = bytes.Clone(text)
		}
	}
	r.in.Accept()
	return b.leaveOut(ctx, kept, size, err)
}

// fileReader is a file that is being read.
type fileReader[T any] struct {
	path   string
	f      *os.File
	size   float64 // when it was opened
	in     *lines.Reader
	format fileFormat[T]
	facts  []rxcql.Fact
}

func (s *file[T]) open(ctx context.Context) (*fileReader[T], error) {
	f, err := filesys.Read(s.path)
	if err != nil {
		return nil, err
	}
	r := &fileReader[T]{path: s.path, f: f, in: lines.New(f, s.cfg.maxLine), format: s.format(ctx)}
	var first []byte
	if first, err = r.in.Peek(4 << 10); err == nil {
		err = notText(first)
	}
	if err == nil {
		err = r.in.SkipBOM()
	}
	if err == nil {
		r.facts, err = r.format.begin(r.in)
	}
	if err != nil {
		return nil, errors.Join(r.wrong(err), f.Close())
	}
	if info, err := f.Stat(); err == nil {
		r.size = float64(info.Size())
	}
	return r, nil
}

// measure returns how many bytes have been read, of how many. The file may have grown since it was
// opened.
func (r *fileReader[T]) measure() (done, total float64) {
	done = float64(r.in.Offset())
	if done > r.size {
		if info, err := r.f.Stat(); err == nil {
			r.size = float64(info.Size())
		}
	}
	return done, max(done, r.size)
}

// readFailed reports whether reading failed, so that no row is to blame.
func readFailed(err error) bool {
	var path *os.PathError
	return errors.As(err, &path)
}

// wrong adds the file and the line to an error. An error of the operating system names the file
// itself.
func (r *fileReader[T]) wrong(err error) error {
	if readFailed(err) {
		return err
	}
	return &lineError{r.path, r.in.Line(), err}
}
