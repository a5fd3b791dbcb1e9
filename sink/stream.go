package sink

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/pack"
)

// CSVWriter is CSV that writes into w, such as standard output, a response, or a pipe. The name is
// that of the stage in reports and errors.
//
// A page is settled when w has it. Flush and close w yourself, after the run. A call of w.Write is
// not interrupted when the run's context ends: the run waits for it. When a run fails w may have
// part of a page. Each run writes a whole file: two runs write two, one behind the other.
//
// It cannot be part of a job with a checkpoint, since what was written cannot be cut off.
// Overwrite, MaxBytes and Parallel are refused.
func CSVWriter[T any](name string, w io.Writer, opts ...CSVOption) rxcql.Sink[T] {
	cfg, lines, err := newCSV[T](opts)
	return streamSink("CSV", "CSVWriter", name, w, cfg, lines, err)
}

// NDJSONWriter is NDJSON that writes into w; see CSVWriter.
func NDJSONWriter[T any](name string, w io.Writer, opts ...NDJSONOption) rxcql.Sink[T] {
	cfg, lines, err := newNDJSON[T](opts)
	return streamSink("NDJSON", "NDJSONWriter", name, w, cfg, lines, err)
}

// JSONArrayWriter is JSONArray that writes into w; see CSVWriter. The array is closed when all rows
// are written, or when the run was stopped.
func JSONArrayWriter[T any](name string, w io.Writer, opts ...NDJSONOption) rxcql.Sink[T] {
	cfg, lines, err := newJSONArray[T](opts)
	return streamSink("JSONArray", "JSONArrayWriter", name, w, cfg, lines, err)
}

func streamSink[T any](format, constructor, name string, to io.Writer, cfg fileConfig, lines func() lines[T], errs ...error) rxcql.Sink[T] {
	if name == "" {
		errs = append(errs, errors.New("the name is empty; it is what reports call the stage"))
	}
	if to == nil {
		errs = append(errs, errors.New("the writer is nil"))
	}
	if cfg.overwrite {
		errs = append(errs, errors.New("Overwrite: a writer has no file to overwrite; leave it out"))
	}
	if cfg.many() {
		errs = append(errs, fmt.Errorf("MaxBytes and Parallel make files with numbers, and a writer is one stream; give sink.%s a path", format))
	}
	return &streamed[T]{name: format + " " + name, to: to, kind: cfg.pack, lines: lines, err: stageError("sink."+constructor, errs...)}
}

// streamed is a sink that writes text into a writer of the user's.
type streamed[T any] struct {
	name  string
	to    io.Writer
	kind  pack.Kind
	lines func() lines[T]
	err   error
}

func (s *streamed[T]) Info() rxcql.SinkInfo {
	return rxcql.SinkInfo{
		Err: s.err, Stages: []string{s.name},
		NotResumableReason: "what a writer got cannot be cut off when the job goes on; write to a file, by its path",
	}
}

func (s *streamed[T]) Check(context.Context) error { return s.err }

func (s *streamed[T]) Open(_ context.Context, r *rxcql.Execution) (rxcql.Writer[T], error) {
	if s.err != nil {
		return nil, s.err
	}
	w := &streamWriter[T]{st: r.SinkStage(s.name), lines: s.lines(), to: s.to}
	w.between = w.lines.frame().between
	if s.kind != pack.None {
		w.pack = pack.NewWriter(s.kind, s.to)
		w.to = w.pack
	}
	return w, nil
}

// streamWriter holds nothing from page to page, except what a compressor holds.
type streamWriter[T any] struct {
	st      *rxcql.Stage
	lines   lines[T]
	between string
	to      io.Writer
	pack    *pack.Writer // nil without compression
	hasRows bool
	buf     []byte
	err     error // the first of the writer
}

func (w *streamWriter[T]) Write(ctx context.Context, p *flow.Page[T]) error {
	w.st.CountIn(len(p.Rows))
	if w.err != nil {
		return w.err
	}
	if ctx.Err() != nil && len(p.Rows) > 0 {
		return context.Cause(ctx)
	}
	written := 0
	err := w.st.Protect(func() (err error) { written, err = w.page(ctx, p); return err })
	if err != nil {
		w.err = err
		return err
	}
	w.st.CountWritten(written)
	return nil
}

func (w *streamWriter[T]) page(ctx context.Context, p *flow.Page[T]) (written int, err error) {
	w.buf = w.buf[:0]
	for i := range p.Rows {
		if w.buf, err = addRow(w.lines, w.buf, w.between, w.hasRows, &p.Rows[i]); err != nil {
			failed := rxcql.FailedRow{Position: p.Position, Index: i, Row: p.Rows[i], Err: err}
			if err := w.st.RowFailed(ctx, p.Reservation, failed); err != nil {
				return 0, err
			}
			continue
		}
		written++
		if w.hasRows = true; len(w.buf) >= fileBuffer {
			if err := w.flush(); err != nil {
				return 0, err
			}
		}
	}
	return written, w.flush()
}

func (w *streamWriter[T]) flush() error {
	if len(w.buf) == 0 {
		return nil
	}
	n, err := w.to.Write(w.buf)
	if err == nil && n != len(w.buf) {
		err = io.ErrShortWrite
	}
	if w.buf = w.buf[:0]; cap(w.buf) > 16*fileBuffer {
		w.buf = nil
	}
	return w.st.Fail(err)
}

// Flush writes what comes after the last row.
func (w *streamWriter[T]) Flush(context.Context) error {
	if w.err != nil {
		return w.err
	}
	return w.st.Protect(func() error {
		end := w.lines.frame().end
		if !w.hasRows {
			end = w.lines.frame().empty
		}
		w.buf = append(w.buf[:0], end...)
		err := w.flush()
		if err == nil && w.pack != nil {
			err = w.st.Fail(w.pack.End())
		}
		return err
	})
}

func (w *streamWriter[T]) Close() error { return nil }
