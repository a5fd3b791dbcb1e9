package verbs

import (
	"regexp"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/parquet"
	"github.com/rxcql/rxcql/transfer"
)

// parquetFormat is Parquet as a format of transfer, which does not import the library for it.
type parquetFormat struct{}

func (parquetFormat) Name() string { return "parquet" }

func (parquetFormat) Extension() string { return ".parquet" }

// leastParquetBytes is the least that parquet.MaxFileBytes takes.
const leastParquetBytes = 1 << 20

// counted is the place of a number in a pattern of transfer; parquet has %d alone for it.
var counted = regexp.MustCompile(`%0?[0-9]*d`)

func (parquetFormat) Write(out transfer.Output) rxcql.Sink[rxcql.Row] {
	var opts []parquet.WriteOption
	if len(out.Columns) > 0 {
		opts = append(opts, parquet.Types(out.Columns...))
	}
	if out.Writer != nil {
		return parquet.WriteTo[rxcql.Row](out.Path, out.Writer, opts...)
	}
	path := out.Path
	if out.Parallel > 0 {
		path = counted.ReplaceAllString(path, "%d")
		opts = append(opts, parquet.MaxFileBytes(max(out.MaxBytes, leastParquetBytes)))
	}
	if out.Overwrite {
		opts = append(opts, parquet.Overwrite())
	}
	return parquet.Write[rxcql.Row](path, opts...)
}

func (parquetFormat) Read(in transfer.Input) rxcql.Stream[rxcql.Row] {
	opts := []parquet.ReadOption{parquet.Types(in.Columns...)}
	if in.IgnoreUnknown {
		opts = append(opts, parquet.IgnoreUnknown())
	}
	return parquet.Read[rxcql.Row](in.Path, opts...)
}
