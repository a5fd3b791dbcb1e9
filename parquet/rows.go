package parquet

import (
	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/parquetcell"
)

// maker turns what an assembler reads into the rows of a page. It belongs to one goroutine.
type maker[T any] interface {
	// begin makes ready for rows of these columns. No page is begun.
	begin(columns *rxcql.Columns)
	// next reads a row and appends it. size is the memory that it takes. bad is what is wrong with
	// a row, which is not appended; left is that row, if it could be read and not decoded.
	next(in *parquetcell.Assembler, rows []T) (out []T, size int64, bad error, left any, err error)
	// end makes the rows of a page whole. They are those that next has appended.
	end(rows []T)
}

func makerOf[T any](columns []rxcql.Column) (maker[T], error) {
	if isRow[T]() {
		return any(&undecoded{}).(maker[T]), nil //nolint:forcetypeassert // T is a Row
	}
	shared := rxcql.NewColumns(columns)
	plan, err := codec.NewDecoder[T](columns)
	if err != nil {
		return nil, err
	}
	return &decoded[T]{plan: plan, columns: shared, at: make([]parquetcell.Cell, len(columns)), cells: make([][]byte, len(columns))}, nil
}

// decoded makes values of T.
type decoded[T any] struct {
	plan    *codec.Decoder[T]
	columns *rxcql.Columns
	buf     []byte
	at      []parquetcell.Cell
	cells   [][]byte
}

// keepBuffer is how large a buffer may be to be kept for the next row.
const keepBuffer = 1 << 20

func (d *decoded[T]) next(in *parquetcell.Assembler, rows []T) (out []T, size int64, bad error, left any, err error) {
	if cap(d.buf) > keepBuffer {
		d.buf = nil
	}
	d.buf, bad, err = in.Row(d.buf[:0], d.at)
	if bad != nil || err != nil {
		return rows, 0, bad, nil, err
	}
	for i, c := range d.at {
		if d.cells[i] = nil; !c.Null {
			d.cells[i] = d.buf[c.From:c.To:c.To]
			if d.cells[i] == nil {
				d.cells[i] = []byte{}
			}
		}
	}
	rows = append(rows, *new(T))
	n, bad := d.plan.Decode(d.cells, &rows[len(rows)-1])
	if bad != nil {
		left = rxcql.NewRow(d.columns, d.cells).Clone()
		clear(rows[len(rows)-1:])
		rows = rows[:len(rows)-1]
	}
	return rows, int64(n), bad, left, nil
}

func (d *decoded[T]) begin(*rxcql.Columns) {} // all files have the same

func (d *decoded[T]) end([]T) {}

// undecoded makes rxcql.Rows. The values of a page share one block of memory.
type undecoded struct {
	columns *rxcql.Columns
	buf     []byte
	at      []parquetcell.Cell // of all rows of the page
}

func (u *undecoded) begin(columns *rxcql.Columns) { u.columns = columns }

func (u *undecoded) next(in *parquetcell.Assembler, rows []rxcql.Row) (out []rxcql.Row, size int64, bad error, left any, err error) {
	n, before := len(u.columns.List()), len(u.buf)
	u.at = append(u.at, make([]parquetcell.Cell, n)...)
	u.buf, bad, err = in.Row(u.buf, u.at[len(u.at)-n:])
	if bad != nil || err != nil {
		u.buf, u.at = u.buf[:before], u.at[:len(u.at)-n]
		return rows, 0, bad, nil, err
	}
	const header, row = 24, 32 // bytes of a slice header, and of a Row
	return append(rows, rxcql.Row{}), int64(len(u.buf) - before + n*header + row), nil, nil, nil
}

func (u *undecoded) end(rows []rxcql.Row) {
	n := len(u.columns.List())
	cells := make([][]byte, len(u.at))
	if u.buf == nil {
		u.buf = []byte{} // an empty value is not null
	}
	for i, c := range u.at {
		if !c.Null {
			cells[i] = u.buf[c.From:c.To:c.To]
		}
	}
	for i := range rows {
		rows[i] = rxcql.NewRow(u.columns, cells[i*n:(i+1)*n:(i+1)*n])
	}
	u.buf, u.at = make([]byte, 0, min(len(u.buf), keepBuffer)), u.at[:0]
}
