package parquet

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/filesys"
)

// Write writes rows into a Parquet file, in the order in which they come. T is a struct whose `cql`
// tags name the columns, or rxcql.Row. The documentation of the package says how each CQL type is
// written. All columns may be null.
//
// The columns are, in this order of preference:
//
//   - those of TypesOf or Types. A struct must have a field for each of them that it names, and no
//     other fields.
//   - for a struct, its fields, with the CQL type that the Go type is kept in by default: int32 as
//     int, time.Time as timestamp, and so on. A field of an interface type, or of a type with
//     methods of its own for CQL, needs Types.
//   - for rxcql.Row, the columns of the first row. A stream without rows then makes no file.
//
// A row of other columns ends the run with rxcql.ErrSchema. A row with a value that Parquet has no
// form for is a row that failed (rxcql.WithRowErrors): text that is not UTF-8, or the empty value
// of a type other than text and blob.
//
// The file has its name when it is complete and durable. Until then it is called as the path says
// with ".part" at the end; a run that fails removes that, and one that is killed leaves it to be
// overwritten by the next. Write refuses a file that is there already, unless Overwrite is given.
// Rows count as written (Report.Written) when their file is complete.
//
// In memory is one row group (RowGroupBytes, at most a quarter of the budget). It is compressed,
// and the budget is charged with the bytes of its values. A few hundred bytes for each page of rows
// of the file come on top, because pages are settled when their file is complete: so give
// MaxFileBytes where a billion rows are written.
//
// Write can be part of a job with a checkpoint only with MaxFileBytes: the list of what is in a
// Parquet file stands at its end, so one that was broken off cannot be gone on with. In such a job
// a file is ended at each save too, so that it is durable; when the job goes on, files that were
// written after the last save are removed and written again. Files become as small as what a save
// interval brings. For large ones leave the checkpoint out, or write CSV or NDJSON.
func Write[T any](path string, opts ...WriteOption) rxcql.Sink[T] {
	cfg, err := newWriteConfig(opts)
	if path == "" {
		err = errors.Join(errNoPath, err)
	}
	s := newSink[T]("parquet.Write", filepath.Base(path), cfg, err)
	s.path = path
	s.open = func(r *rxcql.Execution, restored *saved) (output, error) { return openFiles(r, path, s.cfg, restored) }
	return s
}

// WriteTo writes rows as Write does, as one Parquet file, into w. It does not close w. The name is
// that of the stage in reports. The sink can be run once, and cannot be part of a job with a
// checkpoint. After an error w has the beginning of a file, which nothing can read.
func WriteTo[T any](name string, w io.Writer, opts ...WriteOption) rxcql.Sink[T] {
	cfg, err := newWriteConfig(opts)
	if w == nil {
		err = errors.Join(errors.New("the writer is nil"), err)
	}
	if cfg.overwrite || cfg.fileBytes > 0 {
		err = errors.Join(err, errors.New("Overwrite and MaxFileBytes are for files: use parquet.Write"))
	}
	s := newSink[T]("parquet.WriteTo", name, cfg, err)
	var ran atomic.Bool
	s.open = func(*rxcql.Execution, *saved) (output, error) {
		if ran.Swap(true) {
			return nil, rxcql.ErrSingleRun
		}
		return &userWriter{w: w}, nil
	}
	return s
}

// sink is the description of a sink. Runs do not change it.
type sink[T any] struct {
	name string
	path string // empty for a writer of the user's
	cfg  writeConfig
	err  error
	open func(*rxcql.Execution, *saved) (output, error)
}

func newSink[T any](verb, name string, cfg writeConfig, err error) *sink[T] {
	err = errors.Join(err, checkType[T]())
	if err == nil && !isRow[T]() && !cfg.types.given() {
		_, err = columnsOfStruct[T]()
	}
	s := &sink[T]{name: "Parquet " + name, cfg: cfg}
	if err != nil {
		s.err = &configError{verb, err}
	}
	return s
}

// Info: only numbered files can be gone on with.
func (s *sink[T]) Info() rxcql.SinkInfo {
	info := rxcql.SinkInfo{Err: s.err, Stages: []string{s.name}, Barrier: s.cfg.fileBytes > 0}
	switch {
	case s.path == "":
		info.NotResumableReason = "what went into its writer cannot be cut off; use parquet.Write with MaxFileBytes"
	case !info.Barrier:
		info.NotResumableReason = "one Parquet file cannot be gone on with, since the list of what is in it stands at its end; " +
			"give parquet.MaxFileBytes, which writes numbered files, or leave the checkpoint out"
	}
	return info
}

// Check looks up the types, and checks that there is a folder for the file.
func (s *sink[T]) Check(ctx context.Context) error {
	if s.err != nil {
		return s.err
	}
	_, err := s.encoder(ctx)
	if err == nil && s.path != "" {
		if err = filesys.Regular(s.path); errors.Is(err, fs.ErrNotExist) {
			_, err = os.Stat(filepath.Dir(s.path))
		}
	}
	if err != nil {
		return fmt.Errorf("%s: %w", s.name, err)
	}
	return nil
}

// Open opens no file: that is done when the first row comes.
func (s *sink[T]) Open(ctx context.Context, r *rxcql.Execution) (rxcql.Writer[T], error) {
	if s.err != nil {
		return nil, s.err
	}
	st := r.SinkStage(s.name)
	before, err := restored(st.Restored())
	if err != nil {
		return nil, st.Fail(err)
	}
	w := &writer[T]{st: st, cfg: s.cfg, held: newHeld(st)}
	w.cfg.groupBytes = min(w.cfg.groupBytes, max(1, r.Budget()/4)) // or sources would wait for its end
	if s.cfg.fileBytes > 0 {
		w.cfg.groupBytes = min(w.cfg.groupBytes, s.cfg.fileBytes)
	}
	if w.encoder, err = s.encoder(ctx); err != nil {
		return nil, st.Fail(err)
	}
	if w.out, err = s.open(r, before); err != nil {
		return nil, st.Fail(err)
	}
	if s.cfg.fileBytes > 0 {
		st.OnSave(w.save)
	}
	return w, nil
}
