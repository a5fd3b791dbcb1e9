package sink

import (
	"errors"
	"fmt"
	"reflect"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/schema"
)

func typeName[T any]() string { return reflect.TypeFor[T]().String() }

func isRow[T any]() bool { return reflect.TypeFor[T]() == reflect.TypeFor[rxcql.Row]() }

// rowColumns determines which columns are written, as far as T says. It returns none for a
// rxcql.Row without Columns.
func rowColumns[T any](c *tableConfig) ([]string, error) {
	if isRow[T]() {
		return c.columns, nil
	}
	return codec.ChooseColumns[T](c.columns)
}

// encoder turns rows into the cells of a plan's columns. The cells are valid until the next call.
// It is used by one goroutine at a time.
type encoder[T any] interface {
	encode(row *T) (*plan, []codec.Cell, error)
}

// structs encodes structs and single values.
type structs[T any] struct {
	plan  *plan
	codec *codec.Encoder[T]
	buf   []byte
	cells []codec.Cell
}

func newStructs[T any](table *schema.Table, names []string, o planOptions) (*structs[T], error) {
	columns, err := choose(table, names, o)
	p := newPlan(table, columns, o)
	var codecErr error
	e := &structs[T]{plan: p, cells: make([]codec.Cell, len(columns))}
	if len(columns) > 0 {
		// Fields without a column are reported above, with suggestions.
		e.codec, codecErr = codec.NewEncoder[T](p.names(), codec.SpareFields())
	}
	return e, errors.Join(err, codecErr)
}

// fork returns an encoder for another run.
func (e *structs[T]) fork() *structs[T] {
	p := *e.plan
	p.shapes = map[string]*statement{}
	return &structs[T]{plan: &p, codec: e.codec.Fork(), cells: make([]codec.Cell, len(e.cells))}
}

func (e *structs[T]) encode(row *T) (_ *plan, _ []codec.Cell, err error) {
	e.buf, err = e.codec.Encode(e.buf[:0], row, e.cells)
	return e.plan, e.cells, err
}

// copier uses the cells of rxcql.Rows as they are. Only the rows tell which columns there are: a
// plan is made for the first row, and used until rows have other columns.
type copier struct {
	table   *schema.Table
	names   []string // to be written; nil for all
	leave   []string // not to be written, if names is nil
	options planOptions

	columns *rxcql.Columns // the columns that plan was made for
	plan    *plan
	from    []int // for each column of plan, the index of the row's column
	cells   []codec.Cell

	others map[*rxcql.Columns]planned // of columns that were there before: rows of several may take turns
}

// planned is what was made for columns.
type planned struct {
	plan *plan
	from []int
}

// mostPlanned is how many plans are kept.
const mostPlanned = 64

func (c *copier) encode(row *rxcql.Row) (*plan, []codec.Cell, error) {
	if cols := row.Columns(); cols != c.columns {
		if err := c.prepare(cols); err != nil {
			return nil, nil, err
		}
	}
	for i, from := range c.from {
		b := row.Bytes(from)
		c.cells[i] = codec.Cell{Bytes: b, Null: b == nil}
	}
	return c.plan, c.cells, nil
}

func (c *copier) prepare(cols *rxcql.Columns) error {
	if cols == nil {
		return errors.New("the row is zero: it has no columns")
	}
	if p, known := c.others[cols]; known {
		c.columns, c.plan, c.from, c.cells = cols, p.plan, p.from, make([]codec.Cell, len(p.from))
		return nil
	}
	if c.columns != nil && slices.EqualFunc(cols.List(), c.columns.List(), sameColumn) {
		c.columns = cols
		return nil
	}
	index := map[string]int{}
	var names []string
	for i, col := range cols.List() {
		index[col.Name] = i
		if !slices.Contains(c.leave, col.Name) {
			names = append(names, col.Name)
		}
	}
	var errs []error
	if c.names != nil {
		for _, name := range c.names {
			if _, found := index[name]; !found {
				errs = append(errs, fmt.Errorf("the rows have no column %q%s", name, near(name, names)))
			}
		}
		names = c.names
	}
	chosen, err := choose(c.table, names, c.options)
	errs = append(errs, err)
	from := make([]int, len(chosen))
	for i, to := range chosen {
		at, found := index[to.Name]
		if !found {
			continue
		}
		from[i] = at
		if got := cols.List()[at].Type; !sameBytes(got, to.Type) {
			errs = append(errs, fmt.Errorf("column %q (%s) and the row's column (%s): the bytes of one are not a value of the other",
				to.Name, to.Type, got))
		}
	}
	if err := mismatch(c.table, errs...); err != nil {
		return err
	}
	c.columns, c.from, c.cells = cols, from, make([]codec.Cell, len(chosen))
	c.plan = newPlan(c.table, chosen, c.options)
	if c.others == nil || len(c.others) >= mostPlanned {
		c.others = map[*rxcql.Columns]planned{}
	}
	c.others[cols] = planned{c.plan, from}
	return nil
}

func sameColumn(a, b rxcql.Column) bool {
	return a.Name == b.Name && sameBytes(a.Type, b.Type) && sameBytes(b.Type, a.Type)
}
