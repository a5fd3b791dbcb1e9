package source

import (
	"bytes"
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

// CSV reads a file of CSV (RFC 4180, commas) with a header, in the order of the
// file, in the goroutine that runs the stream. T is a struct with `cql` tags,
// which name the columns; other types are refused by New. The header may have the
// columns in any order. One that is missing, named twice, or that T has not
// (unless IgnoreUnknown is given) is rxcql.ErrSchema, from Check.
//
// A field that is empty, or is NullText, and not quoted is null: a nil pointer,
// slice or map, an invalid sql.Null, else the zero value. What fields may be is
// said at sink.CSV, which writes what this reads; times are in RFC 3339. Spaces
// belong to a field. Text is taken as it is, line breaks in quotes too.
//
// Lines end with \n or \r\n, the last one with the file too; empty ones, and a
// byte order mark at the beginning, are passed over. A record with a field that
// does not fit is a row that failed, as with NDJSON; so is a line that has another
// number of fields than the header, or quotes where none may be. Where that is so
// in a record of several lines, or a quote is not closed, or a record is longer
// than MaxLine, nobody knows where the next record begins: that ends the stream
// under every policy.
//
// All that NDJSON says of rows that fail, of pages, of what is held, of Check and of jobs with a
// checkpoint holds here too; the header and NullText must be the same as well.
func CSV[T any](path string, opts ...CSVOption) rxcql.Stream[T] {
	cfg, err := newFileConfig(path, opts, CSVOption.applyCSV)
	s := &file[T]{name: "CSV", path: path, cfg: cfg}
	var plan *csvrow.Plan[T]
	if isRow[T]() {
		err = errors.Join(err, errNoRow)
	} else {
		var planErr error
		plan, planErr = csvrow.NewPlan[T](cfg.null)
		err = errors.Join(err, planErr)
	}
	s.format = func() fileFormat[T] { return &csvFile[T]{plan: plan, cfg: cfg} }
	return s.stream(err)
}

type csvFile[T any] struct {
	plan   *csvrow.Plan[T]
	cfg    fileConfig
	split  csvrow.Splitter
	width  int // fields in a record
	now    []csvrow.Field
	bad    error // of the record whose fields these would be
	places []int // of the plan's columns among them
}

func (c *csvFile[T]) begin(in *lines.Reader) ([]rxcql.Fact, error) {
	var record []byte
	var fields []csvrow.Field
	var err error
	for record == nil && err == nil {
		record, fields, err = c.fields(in)
	}
	if err == io.EOF { //nolint:errorlint // fields returns it as it is
		err = fmt.Errorf("%w: the file is empty, and has no header", rxcql.ErrSchema)
	}
	if errors.Is(err, csvrow.ErrQuote) || errors.Is(err, csvrow.ErrOpenQuote) {
		err = fmt.Errorf("%w: %w; %w", rxcql.ErrSchema, err, errNoHeader(c.plan.Columns(), string(record)))
	}
	if err != nil {
		return nil, err
	}
	var header []string
	for _, f := range fields {
		header = append(header, string(f.Text))
	}
	c.width = len(header)
	switch {
	case !utf8.Valid(record):
		return nil, fmt.Errorf("%w: the header is not UTF-8", rxcql.ErrSchema)
	case bytes.ContainsRune(bytes.TrimSuffix(bytes.TrimSuffix(record, []byte("\n")), []byte("\r")), '\r'):
		return nil, errCROnly
	}
	if c.places, err = places(c.plan.Columns(), header, string(record), c.cfg.loose); err != nil {
		return nil, fmt.Errorf("%w: %w", rxcql.ErrSchema, err)
	}
	in.Accept()
	return []rxcql.Fact{
		{Name: "header", Value: joined(header)},
		{Name: "null text", Value: strconv.Quote(c.cfg.null)},
	}, nil
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
func (c *csvFile[T]) fields(in *lines.Reader) (record []byte, fields []csvrow.Field, err error) {
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

func (c *csvFile[T]) record(in *lines.Reader) ([]byte, error) {
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
	if !certain {
		return nil, fmt.Errorf("%w; %w", err, errLost)
	}
	c.now, c.bad = fields, err
	return record, nil
}

// errLost says why reading ends whatever the policy for rows that fail.
var errLost = errors.New("whether the lines after it are text of the same field or records cannot be told, so nothing more is read; " +
	"correct that record in the file: a field with a quote, a comma or a line break in it stands in quotes, with each quote in it doubled")

func (c *csvFile[T]) row(_ []byte, into *T) error {
	if c.bad != nil {
		return c.bad
	}
	return c.plan.Read(c.now, c.places, into)
}
