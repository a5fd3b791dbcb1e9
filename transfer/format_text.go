package transfer

import (
	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/dialect"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// CSV is CSV in a dialect: see package dialect for its presets.
func CSV(d dialect.Dialect) Format { return csvFormat{d} }

// NDJSON is an object of JSON on each line, as sink.NDJSON writes it and source.NDJSON reads it.
func NDJSON() Format { return ndjsonFormat{} }

// JSONArray is one array of such objects.
func JSONArray() Format { return arrayFormat{} }

type csvFormat struct{ dialect dialect.Dialect }

func (f csvFormat) Name() string {
	if f.dialect.Name == "" {
		return "csv"
	}
	return "csv (" + f.dialect.Name + ")"
}

func (csvFormat) Extension() string { return ".csv" }

// columnsFor returns a table's columns in the order in which files of a format have them, where
// nobody names them. A nil format has that of SELECT *.
func columnsFor(f Format, about *schema.Table) []schema.Column {
	if csv, is := f.(csvFormat); is && csv.dialect.Order == dialect.OrderName {
		return about.ByName()
	}
	return about.Columns
}

func (f csvFormat) Write(out Output) rxcql.Sink[rxcql.Row] {
	opts := []sink.CSVOption{sink.Dialect(f.dialect)}
	var names []string
	for _, c := range out.Columns {
		names = append(names, c.Name)
	}
	if len(names) > 0 {
		opts = append(opts, sink.Header(names...))
	}
	for _, o := range out.options() {
		opts = append(opts, o)
	}
	if out.Writer != nil {
		return sink.CSVWriter[rxcql.Row](out.Path, out.Writer, opts...)
	}
	return sink.CSV[rxcql.Row](out.Path, opts...)
}

func (f csvFormat) Read(in Input) rxcql.Stream[rxcql.Row] {
	opts := []source.CSVOption{source.Dialect(f.dialect), source.Types(in.Columns...)}
	if in.IgnoreUnknown {
		opts = append(opts, source.IgnoreUnknown())
	}
	opts = append(opts, checks[source.CSVOption](&in)...)
	if in.Open != nil {
		return source.CSVReader[rxcql.Row](in.Path, in.Open, opts...)
	}
	if in.Patterns != nil {
		return source.CSVFiles[rxcql.Row](in.Patterns, opts...)
	}
	return source.CSV[rxcql.Row](in.Path, opts...)
}

type ndjsonFormat struct{}

func (ndjsonFormat) Name() string      { return "ndjson" }
func (ndjsonFormat) Extension() string { return ".ndjson" }

func (ndjsonFormat) Write(out Output) rxcql.Sink[rxcql.Row] {
	if out.Writer != nil {
		return sink.NDJSONWriter[rxcql.Row](out.Path, out.Writer, out.json()...)
	}
	return sink.NDJSON[rxcql.Row](out.Path, out.json()...)
}

func (ndjsonFormat) Read(in Input) rxcql.Stream[rxcql.Row] {
	if in.Open != nil {
		return source.NDJSONReader[rxcql.Row](in.Path, in.Open, in.json()...)
	}
	if in.Patterns != nil {
		return source.NDJSONFiles[rxcql.Row](in.Patterns, in.json()...)
	}
	return source.NDJSON[rxcql.Row](in.Path, in.json()...)
}

type arrayFormat struct{}

func (arrayFormat) Name() string      { return "json" }
func (arrayFormat) Extension() string { return ".json" }

func (arrayFormat) Write(out Output) rxcql.Sink[rxcql.Row] {
	if out.Writer != nil {
		return sink.JSONArrayWriter[rxcql.Row](out.Path, out.Writer, out.json()...)
	}
	return sink.JSONArray[rxcql.Row](out.Path, out.json()...)
}

func (arrayFormat) Read(in Input) rxcql.Stream[rxcql.Row] {
	if in.Open != nil {
		return source.JSONArrayReader[rxcql.Row](in.Path, in.Open, in.json()...)
	}
	if in.Patterns != nil {
		return source.JSONArrayFiles[rxcql.Row](in.Patterns, in.json()...)
	}
	return source.JSONArray[rxcql.Row](in.Path, in.json()...)
}

// options returns the options that all sinks of files have.
func (out *Output) options() (opts []sink.FileOption) {
	switch out.Compression {
	case Gzip:
		opts = append(opts, sink.Gzip())
	case Zstd:
		opts = append(opts, sink.Zstd())
	}
	if out.Parallel > 0 {
		opts = append(opts, sink.Parallel(out.Parallel))
		if out.MaxBytes > 0 {
			opts = append(opts, sink.MaxBytes(out.MaxBytes))
		}
	}
	if out.Overwrite {
		opts = append(opts, sink.Overwrite())
	}
	return opts
}

func (out *Output) json() (opts []sink.NDJSONOption) {
	for _, o := range out.options() {
		opts = append(opts, o)
	}
	return opts
}

func (in *Input) json() []source.NDJSONOption {
	opts := []source.NDJSONOption{source.Types(in.Columns...)}
	if in.IgnoreUnknown {
		opts = append(opts, source.IgnoreUnknown())
	}
	return append(opts, checks[source.NDJSONOption](in)...)
}
