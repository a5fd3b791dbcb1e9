package sink

import (
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/csvrow"
)

// CSV writes every row as a record of CSV (RFC 4180, commas, \n, UTF-8) into a file, in the order
// of the stream, after a header with the names of the columns. T is a struct whose `cql` tags name
// the columns, or rxcql.Row; New refuses other types.
//
// Null is an empty field without quotes, or NullText. Text that equals that, and empty text, is put
// in quotes, so that source.CSV can tell them from null. Null is a nil pointer, slice or map, or an
// invalid sql.Null or netip.Addr. The documentation of package source says how values are written
// (Forms of values in files): single values without the quotes of JSON and text as it is; lists,
// maps and structs as JSON. A row with text that is not UTF-8 is a row that failed.
//
// With rxcql.Row the header comes with the first row, and all rows must have the same columns.
//
// A single column that can be null needs a NullText: otherwise null would be an empty line. New
// refuses such a struct; of rxcql.Row a null there is a row that failed.
//
// What NDJSON says of the file, of settling, of jobs with a checkpoint and of errors holds here
// too. A job goes on only with the columns that it began with; others are
// rxcql.ErrCheckpointForeign.
func CSV[T any](path string, opts ...CSVOption) rxcql.Sink[T] {
	cfg, lines, err := newCSV[T](opts)
	return fileSink("CSV", path, cfg, lines, err)
}

// newCSV returns what makes the text of rows.
func newCSV[T any](opts []CSVOption) (cfg fileConfig, text func() lines[T], err error) {
	cfg, err = newFileConfig(opts, CSVOption.applyCSV)
	if cfg.dialect != nil {
		err = errors.Join(err, cfg.dialectError(isRow[T]()))
		form := csvrow.FormOf(cfg.dialect.Dialect())
		return cfg, func() lines[T] { return any(newDialectRows(cfg, form)).(lines[T]) }, err
	}
	if isRow[T]() {
		return cfg, func() lines[T] { return any(&csvRows{null: cfg.null, inFile: cfg.header}).(lines[T]) }, err
	}
	if cfg.header != nil {
		err = errors.Join(err, errHeader)
	}
	plan, planErr := csvrow.NewPlan[T](cfg.null)
	return cfg, func() lines[T] { return csvLines[T]{plan} }, errors.Join(err, planErr)
}

var errHeader = errors.New("Header: a struct names its own columns; leave it out")

// csvLines writes structs.
type csvLines[T any] struct{ *csvrow.Plan[T] }

func (c csvLines[T]) columns() []string { return c.Columns() }

func (c csvLines[T]) goOn(columns []string) error { return sameColumns(columns, c.Columns()) }

func (c csvLines[T]) frame() frame {
	header := string(appendHeader(nil, c.Columns()))
	return frame{head: header, empty: header}
}

func (c csvLines[T]) row(dst []byte, row *T) ([]byte, error) { return c.Append(dst, row) }

func sameColumns(was, is []string) error {
	if !slices.Equal(was, is) {
		return fmt.Errorf("%w: the file has the columns %q, and the rows have %q", rxcql.ErrCheckpointForeign, was, is)
	}
	return nil
}

func appendHeader(dst []byte, names []string) []byte {
	for i, name := range names {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = csvrow.AppendField(dst, []byte(name), "")
	}
	return append(dst, '\n')
}

// csvRows writes undecoded rows.
type csvRows struct {
	null   string
	header rowHeader
	inFile []string
	text   []byte
}

func (c *csvRows) goOn(columns []string) error {
	c.inFile = columns
	return nil
}

func (c *csvRows) columns() []string { return c.inFile }

func (c *csvRows) frame() frame {
	if c.inFile == nil {
		return frame{}
	}
	header := string(appendHeader(nil, c.inFile))
	return frame{head: header, empty: header}
}

func (c *csvRows) row(dst []byte, row *rxcql.Row) ([]byte, error) {
	inFile := c.inFile
	err := c.look(row)
	if err == nil {
		dst, err = c.cells(dst, row)
	}
	if err != nil { // the row does not count, and the header with it does not either
		c.inFile, c.header = inFile, rowHeader{}
	}
	return dst, err
}

// look takes the columns of the first row, and checks that later rows have the same ones.
func (c *csvRows) look(row *rxcql.Row) error {
	changed, err := c.header.of(row)
	names := c.header.names
	switch {
	case err != nil || !changed:
		return err
	case c.inFile == nil:
		c.inFile = names
	case !slices.Equal(c.inFile, names):
		return fmt.Errorf("%w: the row has the columns %q, and the file %q", rxcql.ErrSchema, names, c.inFile)
	}
	return nil
}

// errOneNull: a record of one null is an empty line, which readers pass over.
var errOneNull = errors.New("the null of a single column would be an empty line; give NullText")

func (c *csvRows) cells(dst []byte, row *rxcql.Row) ([]byte, error) {
	for i, col := range c.header.list {
		if i > 0 {
			dst = append(dst, ',')
		}
		cell := row.Bytes(i)
		if cell == nil {
			if len(c.header.list) == 1 && c.null == "" {
				return dst, columnError(col, errOneNull)
			}
			dst = append(dst, c.null...)
			continue
		}
		var err error
		if c.text, err = codec.AppendText(c.text[:0], col.Type, cell); err != nil {
			return dst, columnError(col, err)
		}
		if !utf8.Valid(c.text) {
			return dst, columnError(col, csvrow.ErrNotUTF8)
		}
		dst = csvrow.AppendField(dst, c.text, c.null)
	}
	return append(dst, '\n'), nil
}
