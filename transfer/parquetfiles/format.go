// Package parquetfiles lets package transfer unload tables to Parquet files, and load them from
// these. It is a package of its own so that programs without Parquet need not have its library.
//
//	job := transfer.Unload(table, "flights.parquet", transfer.WithFormat(parquetfiles.Format()))
package parquetfiles

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/parquet"
	"github.com/rxcql/rxcql/transfer"
)

// Format is Parquet, as parquet.Write writes it and parquet.Read reads it. Options are for files
// that are written, such as parquet.RowGroupBytes.
//
// A file is compressed inside: what transfer calls compression is the codec of its pages, which is
// Snappy if none is asked for. Its name then ends with .parquet all the same. Numbered files are
// written one after the other, however many may be written at once; row groups of a file are read
// in parallel. A file cannot be read from a stream, such as standard input, because the list of
// what is in it stands at its end.
func Format(opts ...parquet.WriteOption) transfer.Format { return format{opts} }

type format struct{ opts []parquet.WriteOption }

func (format) Name() string      { return "parquet" }
func (format) Extension() string { return ".parquet" }

// CompressedInside: see transfer.CompressedInside.
func (format) CompressedInside() {}

// oneFile is more bytes than a file can have.
const oneFile = 1 << 62

func (f format) Write(out transfer.Output) rxcql.Sink[rxcql.Row] {
	opts := append([]parquet.WriteOption{}, f.opts...)
	if len(out.Columns) > 0 {
		opts = append(opts, parquet.Types(out.Columns...))
	}
	switch out.Compression {
	case transfer.Gzip:
		opts = append(opts, parquet.Gzip)
	case transfer.Zstd:
		opts = append(opts, parquet.Zstd)
	}
	if out.Overwrite {
		opts = append(opts, parquet.Overwrite())
	}
	switch {
	case out.Writer != nil:
		return parquet.WriteTo[rxcql.Row](out.Path, out.Writer, opts...)
	case out.Parallel > 0 && out.MaxBytes > 0:
		opts = append(opts, parquet.MaxFileBytes(max(out.MaxBytes, parquet.LeastFileBytes)))
	case out.Parallel > 0:
		opts = append(opts, parquet.MaxFileBytes(oneFile))
	}
	path := out.Path
	if inside, cut := strings.CutSuffix(path, out.Compression.Extension()); cut && strings.HasSuffix(inside, ".parquet") {
		path = inside
	}
	return parquet.Write[rxcql.Row](path, opts...)
}

var errStream = errors.New("a Parquet file is read from its end, so it cannot come through a stream: save it as a file, and name that")

func (format) Read(in transfer.Input) rxcql.Stream[rxcql.Row] {
	if in.Open != nil {
		info := rxcql.StageInfo{Name: "Parquet " + in.Path, Source: true, Err: fmt.Errorf("%w: %w", rxcql.ErrConfig, errStream)}
		return rxcql.NewStream(info, func(_ context.Context, st *rxcql.Stage, _ flow.Observer[rxcql.Row]) error {
			return st.Fail(errStream)
		})
	}
	opts := []parquet.ReadOption{parquet.Types(in.Columns...)}
	if in.IgnoreUnknown {
		opts = append(opts, parquet.IgnoreUnknown())
	}
	paths := in.Patterns
	if len(paths) == 0 {
		paths = []string{in.Path}
	}
	var streams []rxcql.Stream[rxcql.Row]
	for _, path := range paths {
		streams = append(streams, parquet.Read[rxcql.Row](path, opts...))
	}
	if len(streams) == 1 {
		return streams[0]
	}
	return operators.Concat(streams...)
}
