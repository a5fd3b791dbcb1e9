package sink

import (
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/dialect"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/csvrow"
)

// dialectRows writes undecoded rows as CSV of a dialect.
type dialectRows struct {
	csvRows
	dialect *dialect.Text
	form    *csvrow.Form
	how     dialect.Dialect
}

func newDialectRows(cfg fileConfig, form *csvrow.Form) *dialectRows {
	return &dialectRows{csvRows: csvRows{inFile: cfg.header}, dialect: cfg.dialect, form: form, how: cfg.dialect.Dialect()}
}

func (c *dialectRows) frame() frame {
	header, _ := c.headerOf(c.inFile) // row has tried that, and dialectError
	return frame{head: string(header), empty: string(header)}
}

// headerOf returns the line that names the columns; nothing if the dialect has none, or no column
// is known yet.
func (c *dialectRows) headerOf(names []string) (header []byte, err error) {
	if names == nil || !c.how.Header {
		return nil, nil
	}
	for i, name := range names {
		if i > 0 {
			header = append(header, c.form.Separator())
		}
		if header, err = c.form.Append(header, []byte(name)); err != nil {
			return nil, fmt.Errorf("the name of column %q: %w", name, err)
		}
	}
	return append(header, '\n'), nil
}

func (c *dialectRows) row(dst []byte, row *rxcql.Row) ([]byte, error) {
	inFile := c.inFile
	err := c.look(row)
	if err == nil && inFile == nil {
		_, err = c.headerOf(c.inFile)
	}
	if err == nil {
		dst, err = c.cells(dst, row)
	}
	if err != nil { // the row does not count, and the header with it does not either
		c.inFile, c.header = inFile, rowHeader{}
	}
	return dst, err
}

func (c *dialectRows) cells(dst []byte, row *rxcql.Row) ([]byte, error) {
	for i, col := range c.header.list {
		if i > 0 {
			dst = append(dst, c.form.Separator())
		}
		cell := row.Bytes(i)
		if cell == nil {
			before := len(dst)
			if dst = c.appendNull(dst, col); len(dst) == before && len(c.header.list) == 1 {
				return dst, columnError(col, errOneNull)
			}
			continue
		}
		var err error
		if c.text, err = c.dialect.Append(c.text[:0], col.Type, cell); err == nil {
			dst, err = c.form.Append(dst, c.text)
		}
		if err != nil {
			return dst, columnError(col, err)
		}
	}
	return append(dst, '\n'), nil
}

func (c *dialectRows) appendNull(dst []byte, col rxcql.Column) []byte {
	if col.Type.Kind == codec.Vector && c.how.VectorNull != "" {
		return c.form.Encode(dst, c.how.VectorNull)
	}
	return c.form.AppendNull(dst)
}
