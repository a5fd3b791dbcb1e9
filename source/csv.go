package source

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/csvrow"
	"github.com/rxcql/rxcql/internal/lines"
)

// CSV reads a file of CSV (RFC 4180, commas, UTF-8) with a header, in the order of the file, in the
// goroutine that runs the stream. T is a struct whose `cql` tags name the columns, or rxcql.Row
// with TypesOf; New refuses other types.
//
// The header may have the columns in any order. These are rxcql.ErrSchema, from Check:
//
//   - a column that is missing or named twice;
//   - a column that T does not have, unless IgnoreUnknown is given;
//   - a file of another kind: compressed, in UTF-16, separated by semicolons.
//
// Null is an empty field without quotes. With NullText, null is a field that is that text, without
// quotes, and an empty field is empty text. A null becomes a nil pointer, slice or map, an invalid
// sql.Null or netip.Addr, else the zero value. The package's documentation says what other fields
// may be (Forms of values in files). Spaces belong to a field. Text is taken as it is, including
// line breaks in quotes.
//
// Lines end with \n or \r\n; the last one may end with the file. Empty lines, and a byte order mark
// at the beginning, are skipped. These are rows that failed, as with NDJSON:
//
//   - a record with a field that does not fit or is not UTF-8;
//   - a line that has another number of fields than the header;
//   - a line with a quote where none may be, if it is certain where the line ends.
//
// The end of such a line is not certain in the following cases. Then the stream ends under every
// policy, with an error that names the line:
//
//   - The record has several lines, or a quote is not closed.
//   - The quote may begin or end a field that a later line closes as a writer does, before a comma
//     or the end of the line. Then the lines between may be rows or text.
//   - A backslash stands before the quote, as cqlsh and DSBulk write quotes by default.
//   - The record is longer than MaxLine.
//
// All of this is so without Dialect, with which the file may be as another program spells it; what
// is said of rows that fail holds in the same way then.
//
// What NDJSON says of rows that fail, of compressed files, of pages, of memory, of Check and of
// jobs with a checkpoint holds here too. In a job the header, NullText and Dialect must also be the
// same each time. After a line
// with a stray quote, up to MaxLine bytes of the following lines are held in memory as well.
func CSV[T any](path string, opts ...CSVOption) rxcql.Stream[T] {
	cfg, format, err := newCSV[T](opts)
	return fileSource("CSV", path, cfg, format, err)
}

// CSVReader reads CSV from what open gives, such as an HTTP response or standard input
// (Once(os.Stdin)). name stands for it in errors, and a job knows it by that. What CSV says holds
// here too, with the differences that NDJSONReader names.
func CSVReader[T any](name string, open Open, opts ...CSVOption) rxcql.Stream[T] {
	cfg, format, err := newCSV[T](opts)
	return readerSource("CSV", name, open, cfg, format, err)
}

// CSVFiles reads all files that match patterns (filepath.Match; a path without * ? [ is itself),
// each with a header of its own, several at a time: as many as rxcql.WithWorkers says. The columns
// may have another order in each. What CSV says holds here too, with these differences:
//
//   - Each file is a part of the source: its rows come in order, and rows of different files as
//     they arrive. Files are begun in the order of their names.
//   - A pattern that no file matches is rxcql.ErrSchema, and so is a file that ends with .part,
//     which is not complete; see sink.Parallel.
//   - In memory are a page and the longest line for each file that is being read.
//   - In a job with a checkpoint the files must be the same each time, by their names without
//     folders, and their number. A file that was read to its end is not read again when it has
//     grown.
//   - Check opens the first file only.
func CSVFiles[T any](patterns []string, opts ...CSVOption) rxcql.Stream[T] {
	cfg, format, err := newCSV[T](opts)
	return filesSource("CSV", patterns, cfg, format, err)
}

// newCSV returns what decodes records.
func newCSV[T any](opts []CSVOption) (fileConfig, format[T], error) {
	cfg, err := newFileConfig(opts, CSVOption.applyCSV)
	err = errors.Join(err, rowTypes[T](&cfg))
	switch {
	case isRow[T]():
		return cfg, func(ctx context.Context, cfg fileConfig) fileFormat[T] {
			return any(&csvRows{csvRecords: newRecords(cfg), ctx: ctx}).(fileFormat[T]) //nolint:forcetypeassert // T is a Row
		}, err
	case cfg.text != nil:
		typed, typedErr := newTyped[T]()
		return cfg, func(_ context.Context, cfg fileConfig) fileFormat[T] {
			return &csvTyped[T]{csvRecords: newRecords(cfg), typed: typed.fork()}
		}, errors.Join(err, typedErr)
	}
	plan, planErr := csvrow.NewPlan[T](cfg.null)
	return cfg, func(_ context.Context, cfg fileConfig) fileFormat[T] {
		return &csvFile[T]{csvRecords: newRecords(cfg), plan: plan}
	}, errors.Join(err, planErr)
}

// csvRecords splits a file into records of as many fields as its header.
type csvRecords struct {
	cfg   fileConfig
	split csvrow.Splitter
	width int // fields in a record
	now   []csvrow.Field
	bad   error    // error of the record that these fields belong to
	named []string // what the file's columns are called
}

// recordColumns are the columns of a record, for its dead letter.
func (c *csvRecords) recordColumns() []string { return c.named }

func newRecords(cfg fileConfig) csvRecords {
	return csvRecords{cfg: cfg, split: csvrow.NewSplitter(cfg.form())}
}

// csvFile reads records into structs.
type csvFile[T any] struct {
	csvRecords
	plan   *csvrow.Plan[T]
	places []int // index among the fields of each of the plan's columns
}

func (c *csvFile[T]) begin(in *lines.Reader) (facts []rxcql.Fact, err error) {
	c.places, facts, err = c.columns(in, c.plan.Columns())
	return facts, err
}

// fields reads the next record. An empty line gives no record.
func (c *csvRecords) fields(in *lines.Reader) (record []byte, fields []csvrow.Field, err error) {
	c.split.Begin()
	if record, err = in.Record(c.split.Open); err != nil {
		return nil, nil, err
	}
	if csvrow.Blank(record) {
		in.Accept()
		return nil, nil, nil
	}
	fields, err = c.split.Split(record)
	return record, fields, err
}

func (c *csvRecords) record(in *lines.Reader) ([]byte, error) {
	record, fields, err := c.fields(in)
	if record == nil {
		return nil, err
	}
	certain := err == nil || !errors.Is(err, csvrow.ErrOpenQuote)
	switch {
	case errors.Is(err, csvrow.ErrQuote):
		var failed error
		if certain, failed = c.split.EndIsCertain(in.Ahead); failed != nil {
			return nil, failed
		}
	case err == nil && len(fields) != c.width:
		err = fmt.Errorf("%d fields where the header has %d", len(fields), c.width)
		certain = in.Lines() == 1
	}
	switch {
	case !certain && c.split.Escaped() && c.cfg.doublesQuotes():
		return nil, fmt.Errorf("%w; %w", err, errBackslash)
	case !certain:
		return nil, fmt.Errorf("%w; %w", err, errLost)
	}
	c.now, c.bad = fields, err
	return record, nil
}

var errBackslash = errors.New("a backslash stands before it, as cqlsh and DSBulk write quotes by default, and RFC 4180 doubles them: " +
	"nothing more is read; give Dialect (dialect.Cqlsh, dialect.DSBulk), or write the file anew with doubled quotes " +
	"(cqlsh: WITH ESCAPE='\"', DSBulk: --connector.csv.escape '\"')")

// errLost says why reading ends under every policy for rows that fail.
var errLost = errors.New("it cannot be told whether the lines after it are text of the same field or records, so nothing more is read; " +
	"correct that record in the file: a field with a quote, a comma or a line break must be in quotes, and each quote in it doubled")

func (c *csvFile[T]) row(_ []byte, into *T) error {
	if c.bad != nil {
		return c.bad
	}
	return c.plan.Read(c.now, c.places, into)
}
