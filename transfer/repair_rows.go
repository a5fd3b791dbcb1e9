package transfer

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/internal/widen"
)

// rowMaker makes the rows that Repair writes: with the target's columns, and the write times and
// expiry that sink.Times takes.
type rowMaker struct {
	c       *comparison
	row     rowShape // of rows
	static  rowShape // of static columns, with clustering columns that are null
	untimed []string // columns of the target of which the source says no times
}

// rowShape is the columns of rows that are written.
type rowShape struct {
	columns *rxcql.Columns
	keys    []widen.Func // of the key's columns; nil where bytes stay as they are
	values  []valueShape
}

// valueShape says where a value and its times go.
type valueShape struct {
	widen widen.Func
	at    cellPlace
	list  bool
}

// newRowMaker returns what makes rows for the target. The error names the columns that the target
// cannot hold.
func newRowMaker(c *comparison, elements bool) (*rowMaker, error) {
	m := &rowMaker{c: c}
	var err error
	if m.row, err = m.shape(c.regular, elements); err != nil {
		return nil, err
	}
	m.static, err = m.shape(c.static, elements)
	return m, err
}

func (m *rowMaker) shape(pairs []columnPair, elements bool) (s rowShape, err error) {
	var list []rxcql.Column
	for _, k := range m.c.key {
		fn, err := widen.New(k.left.Type, k.right.Type)
		if err != nil {
			return s, fmt.Errorf("%w: key column %q: %w", rxcql.ErrSchema, k.left.Name, err)
		}
		s.keys = append(s.keys, fn)
		list = append(list, rxcql.Column{Name: k.right.Name, Type: k.right.Type})
	}
	for i := range pairs {
		p := &pairs[i]
		fn, err := widen.New(p.left.Type, p.right.Type)
		if err != nil {
			return s, fmt.Errorf("%w: column %q: %w", rxcql.ErrSchema, p.left.Name, err)
		}
		v := valueShape{widen: fn, at: cellPlace{value: len(list), writes: -1, expires: -1}, list: multiCell(p.left.Type)}
		list = append(list, rxcql.Column{Name: p.right.Name, Type: p.right.Type})
		if v.list && !elements {
			m.untimed = append(m.untimed, p.right.Name)
		} else {
			t := timeType(p.left)
			v.at.writes, v.at.expires = len(list), len(list)+1
			list = append(list, rxcql.Column{Name: writesName(p.right.Name), Type: t}, rxcql.Column{Name: expiresName(p.right.Name), Type: t})
		}
		s.values = append(s.values, v)
	}
	s.columns = rxcql.NewColumns(list)
	return s, nil
}

// timeType is the type of the write times, and of the expiry, of a column.
func timeType(c schema.Column) *codec.Type {
	t := &codec.Type{Kind: codec.Bigint}
	if multiCell(c.Type) {
		t = &codec.Type{Kind: codec.List, Elems: []*codec.Type{t}}
	}
	return t
}

// make makes a row of a key and some values. The others are null, which is not written.
func (m *rowMaker) make(key [][]byte, static bool, writes []valueWrite) (rxcql.Row, error) {
	shape := &m.row
	if static {
		shape = &m.static
	}
	cells := make([][]byte, len(shape.columns.List()))
	for i, cell := range key {
		var err error
		if cells[i], err = widened(shape.keys[i], cell); err != nil {
			return rxcql.Row{}, fmt.Errorf("key column %q: %w", m.c.key[i].left.Name, err)
		}
	}
	for _, w := range writes {
		v := shape.values[w.pair]
		var err error
		if cells[v.at.value], err = widened(v.widen, w.cell.value); err != nil {
			return rxcql.Row{}, fmt.Errorf("column %q: %w", shape.columns.List()[v.at.value].Name, err)
		}
		if v.at.writes >= 0 {
			cells[v.at.writes], cells[v.at.expires] = timesCell(w.cell.writes, v.list), timesCell(w.cell.expires, v.list)
		}
	}
	return rxcql.NewRow(shape.columns, cells), nil
}

func widened(fn widen.Func, cell []byte) ([]byte, error) {
	if fn == nil || cell == nil {
		return cell, nil
	}
	return fn([]byte{}, cell)
}

// timesCell encodes times as source.Times gives them: noTime is null.
func timesCell(times []int64, list bool) []byte {
	one := func(t int64) []byte {
		if t == noTime {
			return nil
		}
		return binary.BigEndian.AppendUint64(nil, uint64(t)) //nolint:gosec // its bits
	}
	if !list {
		if len(times) == 0 {
			return nil
		}
		return one(times[0])
	}
	if times == nil {
		return nil
	}
	all := binary.BigEndian.AppendUint32(nil, uint32(len(times))) //nolint:gosec // no more than elements
	for _, t := range times {
		all = appendElement(all, one(t))
	}
	return all
}

// all returns the writes of a whole row of the source.
func (m *rowMaker) all(v *view, row rxcql.Row, static bool) (writes []valueWrite) {
	for i, at := range v.places(static) {
		if value := cellOf(row, at); value.value != nil {
			writes = append(writes, valueWrite{i, value})
		}
	}
	return slices.Clip(writes)
}
