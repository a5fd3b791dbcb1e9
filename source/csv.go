package source

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/csvrow"
	"github.com/rxcql/rxcql/internal/lines"
)

// CSV reads a file of CSV (RFC 4180, commas, UTF-8) with a header, in the order of
// the file, in the goroutine that runs the stream. T is a struct with `cql` tags,
// which name the columns, or rxcql.Row with TypesOf; other types are refused by New.
// The header may have the columns in any order. One that is missing, named twice, or
// that T has not (unless IgnoreUnknown is given) is rxcql.ErrSchema, from Check, and
// so is a file of another kind: compressed, in UTF-16, separated by semicolons.
//
// Null is an empty field without quotes or, if NullText is given, a field that is that
// text without quotes; an empty field is empty text then. A null becomes a nil pointer,
// slice or map, an invalid sql.Null or netip.Addr, else the zero value. The package's
// documentation says what other fields may be (Forms of values in files). Spaces belong
// to a field. Text is taken as it is, line breaks in quotes too.
//
// Lines end with \n or \r\n, the last one with the file too; empty ones, and a
// byte order mark at the beginning, are passed over. A record with a field that
// does not fit, or is not UTF-8, is a row that failed, as with NDJSON; so is a line
// that has another number of fields than the header, or a quote where none may be,
// if its end is certain. The end of such a line is not certain, and ends the stream
// under every policy, with an error that names the line, where
//   - the record has several lines, or a quote is not closed,
//   - the quote may have opened, or not closed, a field that a later line closes as a
//     writer does, before a comma or the end of the line: lines between are perhaps
//     rows and perhaps text,
//   - a backslash stands before the quote, as cqlsh and DSBulk write quotes by
//     default,
//   - or the record is longer than MaxLine.
//
// All that NDJSON says of rows that fail, of pages, of what is held, of Check and of jobs with a
// checkpoint holds here too; the header and NullText must be the same as well. After a line
// with a stray quote, up to MaxLine bytes of the lines that follow are held too.
func CSV[T any](path string, opts ...CSVOption) rxcql.Stream[T] {
	cfg, err := newFileConfig(path, opts, CSVOption.applyCSV)
	s := &file[T]{name: "CSV", path: path, cfg: cfg}
	var plan *csvrow.Plan[T]
	err = errors.Join(err, rowTypes[T](&cfg))
	if !isRow[T]() {
		var planErr error
		plan, planErr = csvrow.NewPlan[T](cfg.null)
		err = errors.Join(err, planErr)
	}
	s.format = func(ctx context.Context) fileFormat[T] {
		if isRow[T]() {
			return any(&csvRows{csvRecords: csvRecords{cfg: cfg}, ctx: ctx}).(fileFormat[T]) //nolint:forcetypeassert // T is a Row
		}
		return &csvFile[T]{csvRecords: csvRecords{cfg: cfg}, plan: plan}
	}
	return s.stream(err)
}

// csvRecords cuts a file into records of as many fields as its header.
type csvRecords struct {
	cfg   fileConfig
	split csvrow.Splitter
	width int // fields in a record
	now   []csvrow.Field
	bad   error // of the record whose fields these would be
}

// csvFile reads records into structs.
type csvFile[T any] struct {
	csvRecords
	plan   *csvrow.Plan[T]
	places []int // of the plan's columns among the fields
}

func (c *csvFile[T]) begin(in *lines.Reader) ([]rxcql.Fact, error) {
	record, header, err := c.header(in, c.plan.Columns())
	if err != nil {
		return nil, err
	}
	if c.places, err = places(c.plan.Columns(), header, string(record), c.cfg.loose); err != nil {
		return nil, fmt.Errorf("%w: %w", rxcql.ErrSchema, err)
	}
	in.Accept()
	return c.facts(header), nil
}

// header reads the record that names the columns, and leaves it to be accepted.
// columns are those that may be in it.
func (c *csvRecords) header(in *lines.Reader, columns []string) (record []byte, header []string, err error) {
	var fields []csvrow.Field
	for record == nil && err == nil {
		record, fields, err = c.fields(in)
	}
	switch {
	case err == io.EOF: //nolint:errorlint // fields returns it as it is
		return nil, nil, fmt.Errorf("%w: the file is empty, and has no header", rxcql.ErrSchema)
	case errors.Is(err, csvrow.ErrQuote), errors.Is(err, csvrow.ErrOpenQuote):
		return nil, nil, fmt.Errorf("%w: %w; %w", rxcql.ErrSchema, err, errNoHeader(columns, string(record)))
	case err != nil:
		return nil, nil, err
	case !utf8.Valid(record):
		return nil, nil, fmt.Errorf("%w: the header is not UTF-8", rxcql.ErrSchema)
	case bytes.ContainsRune(bytes.TrimSuffix(bytes.TrimSuffix(record, []byte("\n")), []byte("\r")), '\r'):
		return nil, nil, errCROnly
	}
	for _, f := range fields {
		header = append(header, string(f.Text))
	}
	c.width = len(header)
	return record, header, nil
}

func (c *csvRecords) facts(header []string) []rxcql.Fact {
	return []rxcql.Fact{
		{Name: "header", Value: joined(header)},
		{Name: "null text", Value: strconv.Quote(c.cfg.null)},
	}
}

// joined puts names with commas between them, and quotes those in which that would be
// lost.
func joined(names []string) string {
	all := make([]string, len(names))
	for i, name := range names {
		if all[i] = name; strings.ContainsAny(name, `,"`) {
			all[i] = strconv.Quote(name)
		}
	}
	return strings.Join(all, ",")
}

// places finds the columns in the header. What is in a header that has none of
// them is not told: it may be a row.
func places(columns, header []string, line string, loose bool) ([]int, error) {
	var at []int
	var spare []string // columns of the file that are none of ours
	for _, name := range header {
		if !slices.Contains(columns, name) {
			spare = append(spare, name)
		}
	}
	known := len(spare) < len(header)
	var errs []error
	for _, name := range columns {
		i := slices.Index(header, name)
		if i < 0 {
			near := meant(name, spare, known)
			known = known || near != ""
			errs = append(errs, fmt.Errorf("column %q is not in the header%s", name, near))
		} else if slices.Contains(header[i+1:], name) {
			errs = append(errs, fmt.Errorf("column %q is twice in the header", name))
		}
		at = append(at, i)
	}
	if !known {
		return nil, errors.Join(append(errs, errNoHeader(columns, line))...)
	}
	for i, name := range header {
		if !loose && slices.Contains(spare, name) {
			errs = append(errs, fmt.Errorf("the header's column %d, %q, has no field; add one with that `cql` tag, or give IgnoreUnknown", i+1, name))
		}
	}
	return at, errors.Join(errs...)
}

// fields reads the next record; of an empty line it makes none.
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
	case !certain && c.split.Escaped():
		return nil, fmt.Errorf("%w; %w", err, errBackslash)
	case !certain:
		return nil, fmt.Errorf("%w; %w", err, errLost)
	}
	c.now, c.bad = fields, err
	return record, nil
}

var errBackslash = errors.New("a backslash stands before it, as cqlsh and DSBulk write quotes by default, and RFC 4180 doubles them: " +
	"nothing more is read; write the file anew with doubled quotes (cqlsh: WITH ESCAPE='\"', DSBulk: --connector.csv.escape '\"')")

// errLost says why reading ends whatever the policy for rows that fail.
var errLost = errors.New("whether the lines after it are text of the same field or records cannot be told, so nothing more is read; " +
	"correct that record in the file: a field with a quote, a comma or a line break in it stands in quotes, with each quote in it doubled")

func (c *csvFile[T]) row(_ []byte, into *T) error {
	if c.bad != nil {
		return c.bad
	}
	return c.plan.Read(c.now, c.places, into)
}
