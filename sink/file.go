package sink

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/filesys"
	"github.com/rxcql/rxcql/internal/pack"
	"github.com/rxcql/rxcql/internal/tail"
)

// file is a sink that writes rows into a file, one after the other.
type file[T any] struct {
	format, path string
	cfg          fileConfig
	lines        func() lines[T]
	err          error
}

// fileSink makes the sink that writes to a path, which is one file or a pattern of many.
func fileSink[T any](format, path string, cfg fileConfig, lines func() lines[T], errs ...error) rxcql.Sink[T] {
	if path == "" {
		errs = append([]error{errors.New("the path is empty")}, errs...)
	}
	if cfg.many() {
		return newNumbered(format, path, cfg, lines, errs...)
	}
	return &file[T]{format: format, path: path, cfg: cfg, lines: lines, err: stageError("sink."+format, errs...)}
}

// name returns the name of the stage. It has the file's name without its folder, so that the files
// of a job can be moved together.
func (s *file[T]) name() string { return s.format + " " + filepath.Base(s.path) }

// Info: when a job goes on, the file is cut to what was saved.
func (s *file[T]) Info() rxcql.SinkInfo {
	return rxcql.SinkInfo{Err: s.err, Barrier: true, Stages: []string{s.name()}}
}

// Check checks that there is a folder for the file. Whether the file can be written shows when it
// is opened.
func (s *file[T]) Check(context.Context) error {
	if s.err != nil {
		return s.err
	}
	err := filesys.Regular(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		_, err = os.Stat(filepath.Dir(s.path))
	}
	if err != nil {
		return fmt.Errorf("sink.%s: %w", s.format, err)
	}
	return nil
}

// fileState is what a checkpoint has of a file.
type fileState struct {
	tail.Place
	Columns []string `json:"columns,omitempty"`
}

func (s *file[T]) Open(_ context.Context, r *rxcql.Execution) (rxcql.Writer[T], error) {
	if s.err != nil {
		return nil, s.err
	}
	st := r.SinkStage(s.name())
	var state fileState
	var from *tail.Place
	if data := st.Restored(); data != nil {
		if err := json.Unmarshal(data, &state); err != nil {
			return nil, st.Fail(fmt.Errorf("%w: where the file ends cannot be read", rxcql.ErrCheckpointDamaged))
		}
		from = &state.Place
	}
	w := &fileWriter[T]{st: st, lines: s.lines(), packed: s.cfg.pack != pack.None}
	if facts := s.cfg.facts(); facts != nil {
		st.Identify(facts...)
	}
	if w.hasRows = from != nil && from.Offset > 0; w.hasRows && state.Columns != nil {
		if err := w.lines.goOn(state.Columns); err != nil {
			return nil, st.Fail(err)
		}
	}
	w.between = w.lines.frame().between
	var err error
	if w.out, err = openOutput(s.path, s.cfg.overwrite, s.cfg.pack, from); err != nil {
		return nil, st.Fail(err)
	}
	if info, err := w.out.f.Stat(); err == nil && r.ReadsFile(info) {
		_ = w.out.f.Close()
		return nil, st.Fail(fmt.Errorf("%s is read by this run; write to another file", s.path))
	}
	st.OnSave(w.save)
	return w, nil
}

// fileBuffer is how many bytes are gathered before they are written.
const fileBuffer = 64 << 10

// fileWriter writes one page after the other. The operating system has a page when Write returns,
// so nothing is held except the buffer; a compressor holds more, until the next save or the end.
type fileWriter[T any] struct {
	st      *rxcql.Stage
	lines   lines[T]
	between string
	out     *output
	packed  bool
	hasRows bool   // the file
	ended   bool   // what comes after the last row is written
	buf     []byte // not written yet; empty between pages
}

func (w *fileWriter[T]) Write(ctx context.Context, p *flow.Page[T]) error {
	w.st.CountIn(len(p.Rows))
	if len(p.Rows) == 0 {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	w.out.mu.Lock()
	defer w.out.mu.Unlock()
	if w.out.err != nil {
		return w.st.Fail(w.out.err)
	}
	written := 0
	if err := w.st.Protect(func() (err error) { written, err = w.page(ctx, p); return err }); err != nil {
		return w.out.undo(err)
	}
	w.out.keep()
	w.st.CountWritten(written)
	return nil
}

// page writes the rows of a page, and returns how many of them did not fail. A compressor gets
// whole pages only, since nothing can be cut off what it has.
func (w *fileWriter[T]) page(ctx context.Context, p *flow.Page[T]) (written int, err error) {
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
		if w.hasRows = true; len(w.buf) >= fileBuffer && !w.packed {
			if err := w.flush(); err != nil {
				return 0, w.st.Fail(err)
			}
		}
	}
	return written, w.st.Fail(w.flush())
}

// flush writes the buffer. A buffer that a large row has made large is not kept.
func (w *fileWriter[T]) flush() error {
	err := w.out.write(w.buf)
	if w.buf = w.buf[:0]; cap(w.buf) > 16*fileBuffer {
		w.buf = nil
	}
	return err
}

// Flush makes durable what was written. What comes after the last row is not kept, so that a job
// which was stopped goes on before it.
func (w *fileWriter[T]) Flush(context.Context) error {
	w.out.mu.Lock()
	defer w.out.mu.Unlock()
	if w.out.err != nil {
		return w.st.Fail(w.out.err)
	}
	end := w.lines.frame().end
	if !w.hasRows {
		end = w.lines.frame().empty
	}
	err := w.out.endMember()
	if w.ended = true; err == nil {
		err = w.out.write([]byte(end))
	}
	if err == nil {
		err = w.out.sync()
	}
	return w.st.Fail(err)
}

// save is called before each save of the job, the first time before anything is read. It does not
// write a header that no row has followed yet: so a run that ends before its first checkpoint is
// durable leaves an empty file.
func (w *fileWriter[T]) save(context.Context) ([]byte, error) {
	w.out.mu.Lock()
	defer w.out.mu.Unlock()
	if w.out.err != nil {
		return nil, w.out.err
	}
	if !w.ended {
		if err := w.out.endMember(); err != nil {
			return nil, err
		}
	}
	at, err := w.out.place()
	if err != nil {
		return nil, err
	}
	state := fileState{Place: at}
	if at.Offset > 0 {
		state.Columns = w.lines.columns()
	}
	return json.Marshal(state)
}

func (w *fileWriter[T]) Close() error {
	w.out.mu.Lock()
	defer w.out.mu.Unlock()
	return w.st.Fail(w.out.close())
}
