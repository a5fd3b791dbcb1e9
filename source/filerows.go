package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/lines"
	"github.com/rxcql/rxcql/internal/schema"
)

// typesOf says where the types of a file's columns come from.
type typesOf struct {
	session        *driver.Session
	keyspace, name string
	given          *schema.Table // of Types; nil for a table that is looked up
	err            error
}

// TypesOf lets a file be read as rxcql.Row. The file's columns have the names and types of the
// columns of a table ("keyspace.table", each part in double quotes where CQL would need them). That
// need not be the table that the rows go to. Columns of the table that are not in the file are not
// in the rows. The table is looked up when the file is opened, by Check and by a run; in a job its
// types must be the same each time.
func TypesOf(session *gocql.Session, table string) interface {
	NDJSONOption
	CSVOption
} {
	t := &typesOf{}
	var nameErr, sessionErr error
	t.keyspace, t.name, nameErr = schema.ParseName(table)
	t.session, sessionErr = driver.Wrap(session)
	if err := errors.Join(nameErr, sessionErr); err != nil {
		t.err = fmt.Errorf("TypesOf: %w", err)
	}
	return t
}

func (t *typesOf) set(c *fileConfig) error {
	c.types = t
	return t.err
}

func (t *typesOf) applyNDJSON(c *fileConfig) error { return t.set(c) }
func (t *typesOf) applyCSV(c *fileConfig) error    { return t.set(c) }

// rowTypes checks that types are given if and only if they are needed.
func rowTypes[T any](c *fileConfig) error {
	switch {
	case isRow[T]() && c.types == nil:
		return errors.New("a file does not tell the types of columns that rxcql.Row needs; use a struct, or give TypesOf")
	case !isRow[T]() && c.types != nil:
		return fmt.Errorf("TypesOf: a %T tells the types of its columns itself; leave it out, or read rxcql.Row", *new(T))
	}
	return nil
}

// table loads the columns by name.
func (t *typesOf) table(ctx context.Context) (*schema.Table, error) {
	if t.given != nil {
		return t.given, nil
	}
	about, err := load(ctx, t.session, t.keyspace, t.name)
	if errors.Is(err, schema.ErrUnknownTable) || errors.Is(err, schema.ErrUnknownKeyspace) {
		err = fmt.Errorf("%w: %w", rxcql.ErrSchema, err)
	}
	if err != nil {
		return nil, fmt.Errorf("TypesOf: %w", err)
	}
	return about, nil
}

func typesFact(cols []rxcql.Column) rxcql.Fact {
	var types []string
	for _, c := range cols {
		types = append(types, c.Name+" "+c.Type.String())
	}
	return rxcql.Fact{Name: "types", Value: strings.Join(types, ", ")}
}

func tableColumns(about *schema.Table) []rxcql.Column {
	var cols []rxcql.Column
	for _, c := range about.Columns {
		cols = append(cols, rxcql.Column{Name: c.Name, Type: c.Type})
	}
	return cols
}

// cellsOf gathers the values of a row in one block of memory.
type cellsOf struct {
	buf   []byte
	cells [][]byte
	ends  []int
}

// begin prepares for so many values of about so many bytes.
func (c *cellsOf) begin(columns, size int) {
	c.buf, c.cells = make([]byte, 0, size), make([][]byte, columns)
	c.ends = append(c.ends[:0], make([]int, 2*columns)...)
}

// put keeps what parse appends as the value of column i.
func (c *cellsOf) put(i int, col rxcql.Column, text []byte, parse func([]byte, *codec.Type, []byte) ([]byte, error)) error {
	c.ends[2*i] = len(c.buf)
	var err error
	if c.buf, err = parse(c.buf, col.Type, text); err != nil {
		return fmt.Errorf("column %q (%s): %w", col.Name, col.Type, err)
	}
	c.ends[2*i+1] = len(c.buf)
	c.cells[i] = c.buf // not null
	return nil
}

func (c *cellsOf) row(cols *rxcql.Columns) rxcql.Row { return rxcql.NewRow(cols, c.values()) }

// values returns the values that were put, nil for the others.
func (c *cellsOf) values() [][]byte {
	for i, cell := range c.cells {
		if cell != nil {
			c.cells[i] = c.buf[c.ends[2*i]:c.ends[2*i+1]:c.ends[2*i+1]]
		}
	}
	return c.cells
}

// csvRows decodes records into undecoded rows.
type csvRows struct {
	csvRecords
	ctx   context.Context //nolint:containedctx // that of the call of begin
	cols  *rxcql.Columns
	at    []int
	cells cellsOf
}

func (c *csvRows) begin(in *lines.Reader) ([]rxcql.Fact, error) {
	about, err := c.cfg.table(c.ctx)
	if err != nil {
		return nil, err
	}
	record, header, err := c.header(in, c.cfg.ordered(about))
	if err != nil {
		return nil, err
	}
	cols, err := c.choose(about, header, string(record))
	if err != nil {
		return nil, fmt.Errorf("%w: %w", rxcql.ErrSchema, err)
	}
	c.cols = rxcql.NewColumns(cols)
	in.Accept()
	return append(c.facts(header, about.ColumnNames()), typesFact(cols)), nil
}

// choose finds the header's columns in the table.
func (c *csvRows) choose(about *schema.Table, header []string, line string) ([]rxcql.Column, error) {
	var cols []rxcql.Column
	var errs []error
	for i, name := range header {
		col, known := about.Column(name)
		switch {
		case known && slices.Contains(header[:i], name):
			errs = append(errs, fmt.Errorf("column %q occurs twice in the header", name))
		case known:
			c.at = append(c.at, i)
			cols = append(cols, rxcql.Column{Name: col.Name, Type: col.Type})
		case !c.cfg.loose:
			errs = append(errs, fmt.Errorf("the header's %s is not in %s; it has %s; leave it out, or give IgnoreUnknown",
				place(i, name, about.ColumnNames()), owner(about), strings.Join(about.ColumnNames(), ", ")))
		}
	}
	if len(cols) == 0 {
		return nil, fmt.Errorf("no column of %s is in the header: %w", owner(about), errNoHeader(about.ColumnNames(), line, c.cfg.separator()))
	}
	return cols, errors.Join(errs...)
}

func (c *csvRows) row(record []byte, into *rxcql.Row) error {
	if c.bad != nil {
		return c.bad
	}
	if err := c.values(&c.cells, c.cols.List(), c.at, len(record)); err != nil {
		return err
	}
	*into = c.cells.row(c.cols)
	return c.cfg.checked(*into)
}

// values reads the fields of the record as values of columns, of which column i is field at[i].
func (c *csvRecords) values(cells *cellsOf, list []rxcql.Column, at []int, size int) error {
	cells.begin(len(list), size+8*len(list))
	parse := c.cfg.parse()
	for i, col := range list {
		f := c.now[at[i]]
		if c.cfg.isNull(col.Type, f) {
			continue
		}
		if err := cells.put(i, col, f.Text, parse); err != nil {
			return err
		}
	}
	return nil
}
