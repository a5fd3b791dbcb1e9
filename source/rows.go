package source

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
)

// rowReader turns the rows of a page into values of T. It belongs to one goroutine. read returns
// separately the rows that could not be decoded, and the decoded size of the others in bytes.
type rowReader[T any] interface {
	read(p *driver.Page, rows []T) (out []T, bad []undecoded, size int64, err error)
}

func isRow[T any]() bool { return reflect.TypeFor[T]() == reflect.TypeFor[rxcql.Row]() }

// newRowReader returns the reader for T. It compiles a plan when the first page comes, and again
// when the server describes the columns differently.
func newRowReader[T any]() rowReader[T] {
	if isRow[T]() {
		return any(&rawReader{}).(rowReader[T])
	}
	return &decoding[T]{}
}

// decoding reads with a compiled plan.
type decoding[T any] struct {
	columns []codec.Column
	plan    *codec.Decoder[T]
	cells   [][]byte
}

// compile makes the plan for the first own of the columns, unless it is there.
func (d *decoding[T]) compile(cols []codec.Column, own int) error {
	if d.plan != nil && same(d.columns, cols) {
		return nil
	}
	plan, err := codec.NewDecoder[T](cols[:own])
	if err != nil {
		return fmt.Errorf("%w: %w", rxcql.ErrSchema, err)
	}
	d.columns, d.plan, d.cells = cols, plan, make([][]byte, len(cols))
	return nil
}

func (d *decoding[T]) read(p *driver.Page, rows []T) ([]T, []undecoded, int64, error) {
	if err := d.compile(p.Columns(), len(p.Columns())); err != nil {
		return rows, nil, 0, err
	}
	var size int64
	var bad []undecoded
	rows = slices.Grow(rows, p.Rows())
	for p.Scan(d.cells) {
		rows = rows[:len(rows)+1] // the decoder writes every field that has a column
		last := len(rows) - 1
		n, err := d.plan.Decode(d.cells, &rows[last])
		if err != nil {
			bad = append(bad, newUndecoded(last+len(bad), d.columns, d.cells, bad, err))
			clear(rows[last:])
			rows = rows[:last]
			continue
		}
		size += int64(n)
	}
	return rows, bad, size, p.Err()
}

// same compares by identity: the driver returns the same slice as long as the server describes the
// columns alike.
func same(a, b []codec.Column) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

// rawReader reads rows without decoding them. The cells of a page share one slice, which is made
// for that page since rows may be kept.
type rawReader struct{ columns *rxcql.Columns }

func (r *rawReader) read(p *driver.Page, rows []rxcql.Row) ([]rxcql.Row, []undecoded, int64, error) {
	cols := p.Columns()
	if r.columns == nil || !same(r.columns.List(), cols) {
		if err := codec.Distinct(cols); err != nil {
			return rows, nil, 0, fmt.Errorf("%w: %w", rxcql.ErrSchema, err)
		}
		r.columns = rxcql.NewColumns(cols)
	}
	n := len(cols)
	slab := make([][]byte, p.Rows()*n)
	for len(slab) >= n && len(slab) > 0 {
		cells := slab[:n:n]
		if !p.Scan(cells) {
			break
		}
		slab = slab[n:]
		rows = append(rows, rxcql.NewRow(r.columns, cells))
	}
	const header, row = 24, 32 // bytes of a slice header, and of a Row
	return rows, nil, int64(len(rows) * (n*header + row)), p.Err()
}
