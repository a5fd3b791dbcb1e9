// Package rows turns pages of the driver into rows: of Go types by compiled plans, or undecoded.
package rows

import (
	"fmt"
	"slices"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
)

// Reader turns the rows of pages into values of T. It belongs to one goroutine.
type Reader[T any] interface {
	// Read appends the rows of a page to rows. It returns separately those that could not be
	// decoded, and the decoded size of the others in bytes.
	Read(p *driver.Page, rows []T) (out []T, bad []Undecoded, size int64, err error)
}

// Raw is a Reader of rows that are not decoded. ReadCells is Read, and also returns the cells of
// the rows that it has appended: in one slice, row by row, which the rows refer to.
type Raw[T any] interface {
	Reader[T]
	ReadCells(p *driver.Page, rows []T) (out []T, cells [][]byte, size int64, err error)
}

// Undecoded is a row that could not be decoded.
type Undecoded struct {
	Index   int // in the page as it was received
	Columns []codec.Column
	Cells   [][]byte
	Err     error
}

// ReaderOf returns the Reader of T. R is the type of rows that are not decoded: columns and row
// make one, and if T is R the Reader makes these. Else it compiles a plan when the first page
// comes, and again when the server describes the columns differently.
func ReaderOf[T, C, R any](columns func([]codec.Column) C, row func(C, [][]byte) R) Reader[T] {
	if raw, is := any(&raw[C, R]{make: columns, row: row}).(Reader[T]); is {
		return raw
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
		return fmt.Errorf("%w: %w", driver.ErrSchema, err)
	}
	d.columns, d.plan, d.cells = cols, plan, make([][]byte, len(cols))
	return nil
}

func (d *decoding[T]) Read(p *driver.Page, rows []T) ([]T, []Undecoded, int64, error) {
	if err := d.compile(p.Columns(), len(p.Columns())); err != nil {
		return rows, nil, 0, err
	}
	var size int64
	var bad []Undecoded
	rows = slices.Grow(rows, p.Rows())
	for p.Scan(d.cells) {
		rows = rows[:len(rows)+1] // the decoder writes every field that has a column
		last := len(rows) - 1
		n, err := d.plan.Decode(d.cells, &rows[last])
		if err != nil {
			bad = append(bad, Undecoded{Index: last + len(bad), Columns: d.columns, Cells: slices.Clone(d.cells), Err: err})
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

// raw reads rows without decoding them. The cells of a page share one slice, which is made for that
// page since rows may be kept.
type raw[C, R any] struct {
	make func([]codec.Column) C
	row  func(C, [][]byte) R

	columns []codec.Column
	made    C
}

func (r *raw[C, R]) Read(p *driver.Page, rows []R) ([]R, []Undecoded, int64, error) {
	rows, _, size, err := r.ReadCells(p, rows)
	return rows, nil, size, err
}

func (r *raw[C, R]) ReadCells(p *driver.Page, rows []R) ([]R, [][]byte, int64, error) {
	cols := p.Columns()
	if r.columns == nil || !same(r.columns, cols) {
		if err := codec.Distinct(cols); err != nil {
			return rows, nil, 0, fmt.Errorf("%w: %w", driver.ErrSchema, err)
		}
		r.columns, r.made = cols, r.make(cols)
	}
	n := len(cols)
	slab := make([][]byte, p.Rows()*n)
	rows = slices.Grow(rows, p.Rows())
	read := 0
	for n > 0 && read+n <= len(slab) {
		cells := slab[read : read+n : read+n]
		if !p.Scan(cells) {
			break
		}
		read += n
		rows = append(rows, r.row(r.made, cells))
	}
	const header, row = 24, 32 // bytes of a slice header, and of a Row
	return rows, slab[:read], int64(read*header + read/max(n, 1)*row), p.Err()
}
