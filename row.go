package rxcql

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"github.com/rxcql/rxcql/internal/codec"
)

// ErrNoColumn: a row has no column of the name.
var ErrNoColumn = errors.New("rxcql: no such column")

// Column is a column of a result: its name, exactly as the server spells it,
// and its CQL type.
type Column = codec.Column

// ColumnType is a CQL type; String gives it in CQL.
type ColumnType = codec.Type

// Columns are the columns of a result, shared by all its rows.
type Columns struct {
	list  []Column
	index map[string]int

	plans sync.Map // columnPlan -> *sync.Pool of decoders
}

type columnPlan struct {
	column int
	goType reflect.Type
}

// NewColumns returns the columns of rows to be made with NewRow. It keeps list, and panics if two
// columns have the same name, since a row could not say which of them is meant.
func NewColumns(list []Column) *Columns {
	if err := codec.Distinct(list); err != nil {
		panic(fmt.Sprintf("rxcql: NewColumns: %v", err))
	}
	c := &Columns{list: list, index: make(map[string]int, len(list))}
	for i, col := range list {
		c.index[col.Name] = i
	}
	return c
}

// List returns the columns in order. You must not change it.
func (c *Columns) List() []Column { return c.list }

// Row is a row whose columns are kept as they were received, and decoded only when asked for. This
// is the cheapest way through a pipeline, and the exact one, since what is not decoded cannot be
// changed. A Row refers to the memory of its page; Clone returns one that does not.
//
// Rows are values, and many goroutines may read one at the same time. You must not change the
// bytes.
type Row struct {
	cols  *Columns
	cells [][]byte
}

// NewRow makes a row of encoded values, one for each column, nil for null. It keeps cells, and
// panics if there are not as many as columns.
func NewRow(cols *Columns, cells [][]byte) Row {
	if len(cols.list) != len(cells) {
		panic(fmt.Sprintf("rxcql: NewRow with %d values for %d columns", len(cells), len(cols.list)))
	}
	return Row{cols: cols, cells: cells}
}

// Columns returns the row's columns; nil for the zero Row.
func (r Row) Columns() *Columns { return r.cols }

// Len returns the number of columns.
func (r Row) Len() int { return len(r.cells) }

// Bytes returns column i as received (CQL protocol v4, section 6); nil is null.
func (r Row) Bytes(i int) []byte { return r.cells[i] }

// Lookup returns the named column as received; found is false if the row has no
// such column.
func (r Row) Lookup(name string) (value []byte, found bool) {
	if r.cols == nil {
		return nil, false
	}
	i, found := r.cols.index[name]
	if !found {
		return nil, false
	}
	return r.cells[i], true
}

// With returns a row in which the named column has other bytes (nil for null). The row itself does
// not change. The error is ErrNoColumn if the row has no such column.
func (r Row) With(name string, value []byte) (Row, error) {
	if r.cols == nil {
		return Row{}, fmt.Errorf("%w: %q (the row is zero)", ErrNoColumn, name)
	}
	i, found := r.cols.index[name]
	if !found {
		return Row{}, fmt.Errorf("%w: %q", ErrNoColumn, name)
	}
	cells := slices.Clone(r.cells)
	cells[i] = value
	return Row{cols: r.cols, cells: cells}, nil
}

// Clone returns a row that shares no memory with the page.
func (r Row) Clone() Row {
	cells := make([][]byte, len(r.cells))
	for i, cell := range r.cells {
		cells[i] = bytes.Clone(cell)
	}
	return Row{cols: r.cols, cells: cells}
}

// Size returns the bytes of memory that the row's values take, without the Row itself and without
// its columns, which rows share.
func (r Row) Size() int {
	n := len(r.cells) * 24
	for _, cell := range r.cells {
		n += len(cell)
	}
	return n
}

// Value decodes one column of a row. V may be any type that a field of a struct may have: see
// package source. A null gives the zero value; use a pointer or sql.Null to tell null from zero.
// Errors: ErrNoColumn; ErrSchema if V does not fit the column's type; else an error about the
// value.
func Value[V any](r Row, name string) (V, error) {
	var v V
	if r.cols == nil {
		return v, fmt.Errorf("%w: %q (the row is zero)", ErrNoColumn, name)
	}
	i, found := r.cols.index[name]
	if !found {
		return v, fmt.Errorf("%w: %q", ErrNoColumn, name)
	}
	key := columnPlan{column: i, goType: reflect.TypeFor[V]()}
	pool, known := r.cols.plans.Load(key)
	if !known {
		plan, err := codec.NewDecoder[V](r.cols.list[i : i+1])
		if err != nil {
			return v, fmt.Errorf("%w: %w", ErrSchema, err)
		}
		pool, _ = r.cols.plans.LoadOrStore(key, &sync.Pool{New: func() any { return plan.Fork() }})
	}
	dec := pool.(*sync.Pool).Get().(*codec.Decoder[V])
	defer pool.(*sync.Pool).Put(dec)
	if _, err := dec.Decode(r.cells[i:i+1], &v); err != nil {
		return *new(V), err
	}
	return v, nil
}
