package source

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/dialect"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/csvrow"
	"github.com/rxcql/rxcql/internal/schema"
)

type dialectOption dialect.Dialect

// Dialect reads a file as another program spells it: see package dialect for presets. In CSV it
// says how fields are separated and quoted, and how values are spelled; in JSON only the latter,
// for what is in strings, and Booleans, Null, Encoding and Collections have no meaning there. A
// dialect that is wrong is rxcql.ErrConfig, from New.
//
// T is rxcql.Row, or a struct with `cql` tags whose fields tell their CQL types: time.Time is a
// timestamp, time.Duration a time, int64 a bigint, string a text, a struct with tags a user-defined
// type, and so on. New refuses others, such as any. So an int64 does not hold the text of a
// timestamp here, as it may without Dialect.
func Dialect(d dialect.Dialect) interface {
	NDJSONOption
	CSVOption
} {
	return dialectOption(d)
}

func (d dialectOption) set(c *fileConfig) (err error) {
	text, err := dialect.NewParser(dialect.Dialect(d))
	if err == nil {
		c.text = text
	}
	return err
}

func (d dialectOption) applyNDJSON(c *fileConfig) error {
	d.Encoding = dialect.UTF8
	return d.set(c)
}

func (d dialectOption) applyCSV(c *fileConfig) error { return d.set(c) }

// ordered returns the columns of a file without a header: those of the table in the dialect's
// order, or those that were named in the order in which they were.
func (c *fileConfig) ordered(about *schema.Table) []string {
	if about.Name == "" || c.text == nil || c.text.Dialect().Order != dialect.OrderName {
		return about.ColumnNames()
	}
	var names []string
	for _, col := range about.ByName() {
		names = append(names, col.Name)
	}
	return names
}

type header []string

// Header names the columns of a file of CSV, in order. They are those of a file that has no header
// (Dialect.Header is false), and otherwise take the place of the names in its header, so that
// columns can have other names than in the file; there must be as many.
func Header(columns ...string) CSVOption { return header(columns) }

func (h header) applyCSV(c *fileConfig) error {
	var errs []error
	if len(h) == 0 {
		errs = append(errs, errors.New("Header(): name at least one column"))
	}
	for i, name := range h {
		if name == "" || slices.Contains(h[:i], name) {
			errs = append(errs, fmt.Errorf("Header: column %d, %q, is empty or named twice", i+1, name))
		}
	}
	c.header = slices.Clone(h)
	return errors.Join(errs...)
}

// hasHeader reports whether the first record names the columns.
func (c *fileConfig) hasHeader() bool { return c.text == nil || c.text.Dialect().Header }

func (c *fileConfig) latin1() bool {
	return c.text != nil && c.text.Dialect().Encoding == dialect.Latin1
}

func (c *fileConfig) separator() byte {
	if c.text == nil {
		return ','
	}
	return c.text.Dialect().Separator
}

// doublesQuotes reports whether a quote in a field is doubled, as RFC 4180 has it.
func (c *fileConfig) doublesQuotes() bool {
	return c.text == nil || c.text.Dialect().Escape == c.text.Dialect().Quote
}

// form is how records are spelled.
func (c *fileConfig) form() *csvrow.Form {
	if c.text == nil {
		return csvrow.FormOf(dialect.RFC4180())
	}
	return csvrow.FormOf(c.text.Dialect())
}

// isNull reports whether a field is null in a column of the type.
func (c *fileConfig) isNull(t *codec.Type, f csvrow.Field) bool {
	if c.text == nil {
		return f.Null(c.null)
	}
	return c.text.Null(t, f.Text, f.Quoted)
}

// parse reads the text of a field.
func (c *fileConfig) parse() codec.TextParser {
	if c.text == nil {
		return codec.ParseText
	}
	return c.text.Parse
}

// parseJSON reads a JSON value.
func (c *fileConfig) parseJSON() codec.TextParser {
	if c.text == nil {
		return codec.ParseJSON
	}
	return codec.TextParser(c.text.Parse).JSON
}

// dialectFacts is what must be the same for a job to go on.
func (c *fileConfig) dialectFacts() []rxcql.Fact {
	if c.text == nil {
		return nil
	}
	d := c.text.Dialect()
	zone := "none"
	if d.Zone != nil {
		zone = d.Zone.String()
	}
	name := d.Name
	d.Zone, d.Name = nil, ""
	return []rxcql.Fact{{Name: "dialect", Value: fmt.Sprintf("%s %+v, zone %s", name, d, zone)}}
}

// table returns the table that types come from, nil if there is none.
func (c *fileConfig) table(ctx context.Context) (*schema.Table, error) {
	if c.types == nil || c.about != nil {
		return c.about, nil
	}
	return c.types.table(ctx)
}
