package transfer

import (
	"context"
	"slices"
	"sync/atomic"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/schema"
)

// reshape makes rows of the target from rows of the source, a page at a time and in their order.
//
// Static columns come with every row that is read. If they belong to the same partitions on both
// sides, only the first row of a partition keeps them, and one before which they have changed;
// unless rows that fail are left out: the row that is left out might be that one. No position
// behind a page is saved before that page is durable. So a run that goes on in the middle of a
// partition has no need to know what the run before has written, and writes its static columns once
// more.
//
// A value that is none of its type is a row that failed. A partition that has static columns only
// is left out, and counted in left, if the target has no static column for what it has, or no
// partition for it.
func reshape(in rxcql.Stream[rxcql.Row], m *mapping, left *atomic.Int64) rxcql.Stream[rxcql.Row] {
	if m.plain() {
		return in
	}
	info := rxcql.StageInfo{Name: "Reshape", OneToOne: !m.homeless, Drops: m.homeless}
	return rxcql.Lift(in, info, func(st *rxcql.Stage, out flow.Observer[rxcql.Row]) flow.Observer[rxcql.Row] {
		return &reshaping{st: st, out: out, mapping: m, once: m.once && !st.SkipsFailed(), left: left}
	})
}

type reshaping struct {
	st      *rxcql.Stage
	out     flow.Observer[rxcql.Row]
	mapping *mapping
	once    bool
	left    *atomic.Int64 // partitions that were left out

	read       *rxcql.Columns // the columns that the rest was made for
	made       *rxcql.Columns
	cells      []cellPlan
	partition  []int // columns of the source's key, as indexes of the row that is read
	clustering []int
	statics    []int
	rows       []rxcql.Row // reused from page to page

	last map[int][]byte // what mark says of the last row of each range that is being read
	seen []byte         // reused
}

// cellPlan is how a cell of a row is made.
type cellPlan struct {
	from   int // index of the cell that is read; -1 for a constant
	mapped *mappedColumn
	value  []byte // of a constant
	static bool
	ofRow  bool // a constant that a partition without rows does not get
}

func (r *reshaping) Next(ctx context.Context, p *flow.Page[rxcql.Row]) error {
	n := 0
	var slab [][]byte
	var wide []byte // values of wider types: the rows of a page share this memory
	for i := range p.Rows {
		row := &p.Rows[i]
		if cols := row.Columns(); cols != r.read {
			r.prepare(cols)
		}
		if len(slab) < len(r.cells) {
			slab = make([][]byte, len(r.cells)*(len(p.Rows)-i))
		}
		cells := slab[:len(r.cells):len(r.cells)]
		slab = slab[len(r.cells):]
		if r.mapping.homeless && r.isPartitionOnly(row) && !r.hasPlace(row) {
			r.left.Add(1)
			continue
		}
		var err error
		again := r.once && r.again(p, i)
		if wide, err = r.fill(cells, row, again, wide); err != nil {
			failed := rxcql.FailedRow{Position: p.Position, Index: i, Row: *row, Err: err}
			if err := r.st.RowFailed(ctx, p.Reservation, failed); err != nil {
				return err
			}
			continue
		}
		r.rows = append(r.rows[:n], rxcql.NewRow(r.made, cells))
		n++
	}
	r.keep(p)
	err := flow.HandOn(ctx, p, r.rows[:n], r.out)
	clear(r.rows[:n])
	return err
}

func (r *reshaping) Done(ctx context.Context, stopped bool) error { return r.out.Done(ctx, stopped) }

// fill makes the cells of a row. again says that the row before is of the same partition, and has
// the static columns.
func (r *reshaping) fill(cells [][]byte, row *rxcql.Row, again bool, wide []byte) (_ []byte, err error) {
	noRow := r.isPartitionOnly(row)
	for i, c := range r.cells {
		switch {
		case c.from < 0:
			if !c.ofRow || !noRow {
				cells[i] = c.value
			}
		case c.static && again && !noRow:
		default:
			value := row.Bytes(c.from)
			if c.mapped == nil || c.mapped.widen == nil || value == nil {
				cells[i] = value
				continue
			}
			start := len(wide)
			if wide, err = c.mapped.widen(wide, value); err != nil {
				return wide, &columnError{c.mapped.from.Name, err}
			}
			cells[i] = wide[start:len(wide):len(wide)]
			if cells[i] == nil { // an empty value is not null
				cells[i] = []byte{}
			}
		}
	}
	return wide, nil
}

// isPartitionOnly reports whether a row stands for a partition that has static columns only: such a
// one has no clustering columns.
func (r *reshaping) isPartitionOnly(row *rxcql.Row) bool {
	for _, i := range r.clustering {
		if row.Bytes(i) != nil {
			return false
		}
	}
	return len(r.clustering) > 0
}

// hasPlace reports whether the target has a partition, and static columns, for one that has nothing
// else.
func (r *reshaping) hasPlace(row *rxcql.Row) (has bool) {
	for _, c := range r.cells {
		switch {
		case c.from < 0 || c.mapped == nil:
		case c.mapped.to.Kind == schema.PartitionKey && row.Bytes(c.from) == nil:
			return false
		case c.static && row.Bytes(c.from) != nil:
			has = true
		}
	}
	return has
}

// prepare makes the plan for rows with these columns. Those that the mapping does not know are the
// times of a column, and go along with it.
func (r *reshaping) prepare(read *rxcql.Columns) {
	if r.read != nil && slices.Equal(r.read.List(), read.List()) { // of another range
		r.read = read
		return
	}
	r.cells, r.partition, r.clustering, r.statics = r.cells[:0], r.partition[:0], r.clustering[:0], r.statics[:0]
	r.last = map[int][]byte{}
	var list []rxcql.Column
	for i, col := range read.List() {
		at := slices.IndexFunc(r.mapping.columns, func(c mappedColumn) bool { return c.from.Name == col.Name })
		if at < 0 {
			if name, is := r.mapping.timesName(col.Name); is {
				list = append(list, rxcql.Column{Name: name, Type: col.Type})
				r.cells = append(r.cells, cellPlan{from: i})
			}
			continue
		}
		c := &r.mapping.columns[at]
		switch c.from.Kind {
		case schema.PartitionKey:
			r.partition = append(r.partition, i)
		case schema.Clustering:
			r.clustering = append(r.clustering, i)
		case schema.Static:
			r.statics = append(r.statics, i)
		}
		list = append(list, rxcql.Column{Name: c.to.Name, Type: c.to.Type})
		r.cells = append(r.cells, cellPlan{from: i, mapped: c, static: c.to.Kind == schema.Static})
	}
	for _, c := range r.mapping.constants {
		list = append(list, rxcql.Column{Name: c.to.Name, Type: c.to.Type})
		r.cells = append(r.cells, cellPlan{from: -1, value: c.value, ofRow: c.to.Kind == schema.Clustering || c.to.Kind == schema.Regular})
	}
	r.read, r.made = read, rxcql.NewColumns(list)
}

// timesName returns the name of a column of times, such as "writetime(c)", at the target.
func (m *mapping) timesName(name string) (string, bool) {
	for _, kind := range []string{"writetime(", "expires("} {
		for i := range m.columns {
			if name == kind+m.columns[i].from.Name+")" {
				return kind + m.columns[i].to.Name + ")", true
			}
		}
	}
	return "", false
}

// columnError names the column that an error is about.
type columnError struct {
	column string
	err    error
}

func (e *columnError) Error() string {
	return "column " + schema.Spell(e.column) + ": " + e.err.Error()
}
func (e *columnError) Unwrap() error { return e.err }
