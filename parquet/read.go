package parquet

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// Read reads Parquet files, several row groups at a time (rxcql.WithWorkers). The path is one of
// these, and is looked at in this order:
//
//   - the name of a file;
//   - the name of a folder, of which all files are read whose names end with .parquet and begin
//     with neither "." nor "_", as Spark writes them;
//   - a pattern, as filepath.Match has it.
//
// Several files are read in the order of their names. For a struct they must have the same columns;
// a rxcql.Row has those of its file.
//
// T is a struct whose `cql` tags name the columns, or rxcql.Row with TypesOf or Types. Only the
// columns that T has are read from the file. A column that T has and the file does not is
// rxcql.ErrSchema, and so is one that the file has and T does not, unless IgnoreUnknown is given.
// With rxcql.Row, columns that are given types and are not in the file are not in the rows. The
// documentation of the package says which types of columns are read as what.
//
// A null becomes a nil pointer, slice or map, an invalid sql.Null or netip.Addr, else the zero
// value. A row is a row that failed (rxcql.WithRowErrors) if one of its values cannot be had
// exactly in its CQL type, or does not fit T. Its error names the file, the row (from 1) and the
// column. A dead letter has the row only if all values could be had in their CQL types: otherwise
// it has no row, and the error says where it is.
//
// Each row group is a part of the source: its rows come in their order, and those of different row
// groups as they arrive. A part is named by the numbers of its rows, such as (1000, 2000], counted
// from 1 over all files. Pages have up to 512 rows (PageRows), fewer where rows are large. The
// budget is charged with the rows. In addition each worker has one page of each column that it
// reads in memory, decompressed; writers make pages of about 1 MiB at most.
//
// Check reports files that are missing, cannot be read, are not Parquet, or do not fit.
//
// Read can be part of a job with a checkpoint, which has the row of each part after those that are
// settled. The job goes on only with files of the same names and contents (of which the size, and
// a checksum of the end, where the columns and their places are listed, are compared). They may be
// in another folder. Others are rxcql.ErrCheckpointForeign.
func Read[T any](path string, opts ...ReadOption) rxcql.Stream[T] {
	cfg, err := newReadConfig(path, opts)
	err = errors.Join(err, checkType[T]())
	if isRow[T]() && !cfg.types.given() {
		err = errors.Join(err, errors.New("a rxcql.Row has the CQL types of its columns: give TypesOf or Types, or read a struct"))
	}
	s := &source[T]{path: path, cfg: cfg}
	if err != nil {
		err = &configError{"parquet.Read", err}
	}
	info := rxcql.StageInfo{Name: "Parquet " + filepath.Base(path), Source: true, File: path, Err: err, Check: s.check}
	return rxcql.NewStream(info, s.run)
}

// source is the description of a source. Runs do not change it.
type source[T any] struct {
	path string
	cfg  readConfig
}

// check reads the ends of all files.
func (s *source[T]) check(ctx context.Context) error {
	_, err := s.open(ctx)
	return err
}

// open lists the files, and finds the columns that rows have.
func (s *source[T]) open(ctx context.Context) (*dataset, error) {
	given, err := s.cfg.types.load(ctx)
	if err != nil {
		return nil, err
	}
	choose := structColumns[T]
	if isRow[T]() {
		choose = rowColumns
	}
	return openDataset(ctx, s.path, given, s.cfg, isRow[T](), choose)
}

func (s *source[T]) run(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
	defer st.Input().Done()
	files, err := s.open(ctx)
	if err != nil {
		return st.Fail(err)
	}
	done, begun, err := st.Resume(rxcql.Identity{Facts: files.facts, Begun: func(state []byte) error {
		_, err := rowOf(state)
		return err
	}})
	if err != nil {
		return err
	}
	parts, err := files.parts(done, begun)
	if err != nil {
		return st.Fail(err)
	}
	r := &reading[T]{st: st, out: out, files: files, parts: parts, pageRows: s.cfg.pageRows}
	return r.run(ctx)
}
