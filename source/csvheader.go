package source

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
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

// columns finds the columns that are read among those of the file.
func (c *csvRecords) columns(in *lines.Reader, names []string) (at []int, facts []rxcql.Fact, err error) {
	record, header, err := c.header(in, names)
	if err != nil {
		return nil, nil, err
	}
	if at, err = places(names, header, string(record), c.cfg); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", rxcql.ErrSchema, err)
	}
	in.Accept()
	return at, c.facts(header, names), nil
}

// header reads the record that names the columns, and leaves it to be accepted. columns are those
// that may be in it, and those of a file without a header.
func (c *csvRecords) header(in *lines.Reader, columns []string) (record []byte, header []string, err error) {
	defer func() {
		if err == nil {
			c.width, c.named = len(header), header
		}
	}()
	if !c.cfg.hasHeader() {
		if header = c.cfg.header; header == nil {
			header = columns
		}
		return nil, header, nil
	}
	var fields []csvrow.Field
	for record == nil && err == nil {
		record, fields, err = c.fields(in)
	}
	switch {
	case err == io.EOF: //nolint:errorlint // fields returns it as it is
		return nil, nil, fmt.Errorf("%w: the file is empty, and has no header", rxcql.ErrSchema)
	case errors.Is(err, csvrow.ErrQuote), errors.Is(err, csvrow.ErrOpenQuote):
		return nil, nil, fmt.Errorf("%w: %w; %w", rxcql.ErrSchema, err, errNoHeader(columns, string(record), c.cfg.separator()))
	case err != nil:
		return nil, nil, err
	case !utf8.Valid(record) && !c.cfg.latin1():
		return nil, nil, fmt.Errorf("%w: the header is not UTF-8", rxcql.ErrSchema)
	case bytes.ContainsRune(bytes.TrimSuffix(bytes.TrimSuffix(record, []byte("\n")), []byte("\r")), '\r'):
		return nil, nil, errCROnly
	}
	for _, f := range fields {
		header = append(header, string(f.Text))
	}
	if c.cfg.header == nil {
		return record, header, nil
	}
	if len(c.cfg.header) != len(header) {
		return nil, nil, fmt.Errorf("%w: Header names %d columns, and the header of the file has %d", rxcql.ErrSchema, len(c.cfg.header), len(header))
	}
	return record, c.cfg.header, nil
}

// facts are what must be the same for a job to go on. A column of the file that is not one of ours
// is known by a hash alone: a first line that is no header has values.
func (c *csvRecords) facts(header, ours []string) []rxcql.Fact {
	known := make([]string, len(header))
	for i, name := range header {
		if known[i] = name; !slices.Contains(ours, name) {
			sum := sha256.Sum256([]byte(name))
			known[i] = "?" + hex.EncodeToString(sum[:4])
		}
	}
	return append([]rxcql.Fact{
		{Name: "header", Value: joined(known)},
		{Name: "null text", Value: strconv.Quote(c.cfg.null)},
	}, c.cfg.dialectFacts()...)
}

// joined joins names with commas, and quotes those that would be ambiguous without quotes.
func joined(names []string) string {
	all := make([]string, len(names))
	for i, name := range names {
		if all[i] = name; strings.ContainsAny(name, `,"`) {
			all[i] = strconv.Quote(name)
		}
	}
	return strings.Join(all, ",")
}

// places finds the columns in the header. Errors name columns of the file by their place, unless
// they are spelled nearly as ours: a first line that is no header has values.
func places(columns, header []string, line string, cfg fileConfig) ([]int, error) {
	var at []int
	var spare []string // columns of the file that are not ours
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
			near := meant(name, header, spare, known)
			known = known || near != ""
			errs = append(errs, fmt.Errorf("column %q is not in the header%s", name, near))
		} else if slices.Contains(header[i+1:], name) {
			errs = append(errs, fmt.Errorf("column %q occurs twice in the header", name))
		}
		at = append(at, i)
	}
	if !known {
		return nil, errors.Join(append(errs, errNoHeader(columns, line, cfg.separator()))...)
	}
	for i, name := range header {
		if !cfg.loose && slices.Contains(spare, name) {
			errs = append(errs, fmt.Errorf("the header's %s has no field; add one with that `cql` tag, or give IgnoreUnknown", place(i, name, columns)))
		}
	}
	return at, errors.Join(errs...)
}
