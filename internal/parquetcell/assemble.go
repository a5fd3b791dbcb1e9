package parquetcell

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/parquet-go/parquet-go"

	"github.com/rxcql/rxcql/internal/codec"
)

// Cell is where the encoded value of a column lies in what Assembler.Row has appended to.
type Cell struct {
	From, To int
	Null     bool
}

// Assembler puts the rows of a row group together, one after the other. It belongs to one
// goroutine. In memory is one page of each column that is read.
type Assembler struct {
	plan    *Plan
	cursors []*cursor
	bad     error // the first thing that is wrong with the row, see Row
	lost    error // the first thing that is wrong with the file
}

// errLevels: the columns of a row group do not have the values that its rows need.
var errLevels = errors.New("its columns do not have as many values as its rows need: the file is damaged")

// NewAssembler begins at the first row of a row group, of the file that the plan was made for.
func (p *Plan) NewAssembler(group parquet.RowGroup) *Assembler {
	a := &Assembler{plan: p}
	chunks := group.ColumnChunks()
	for _, leaf := range p.leaves {
		a.cursors = append(a.cursors, newCursor(chunks[leaf.Index()]))
	}
	return a
}

// SeekRow moves to a row of the row group, counted from 0.
func (a *Assembler) SeekRow(row int64) error {
	for _, c := range a.cursors {
		if err := c.seek(row); err != nil {
			return err
		}
	}
	return nil
}

// Close frees what the Assembler holds.
func (a *Assembler) Close() error {
	var errs []error
	for _, c := range a.cursors {
		errs = append(errs, c.close())
	}
	return errors.Join(errs...)
}

// Row appends the values of the next row to dst, and says in cells, one a column, where they lie.
// bad is what is wrong with the row, if one of its values cannot be had in its CQL type; the next
// call goes on with the next row. After err, nothing more can be read.
func (a *Assembler) Row(dst []byte, cells []Cell) (out []byte, bad, err error) {
	a.bad = nil
	for i, n := range a.plan.nodes {
		for _, c := range a.cursors[n.first:n.last] {
			if v := c.peek(); v == nil || v.RepetitionLevel() != 0 {
				return dst, nil, a.loses(c)
			}
		}
		cell, before := Cell{From: len(dst)}, a.bad
		dst, cell.Null = a.value(dst, n)
		cell.To = len(dst)
		cells[i] = cell
		switch {
		case a.lost != nil:
			return dst, nil, a.lost
		case before == nil && a.bad != nil:
			col := a.plan.columns[i]
			a.bad = fmt.Errorf("column %q (%s): %w", col.Name, col.Type, a.bad)
		}
	}
	return dst, a.bad, nil
}

// End returns an error unless all rows of the row group have been read.
func (a *Assembler) End() error {
	for _, c := range a.cursors {
		if v := c.peek(); v != nil {
			return errLevels
		} else if !errors.Is(c.err, io.EOF) {
			return c.err
		}
	}
	return nil
}

// loses notes that a column has no value where one is needed.
func (a *Assembler) loses(c *cursor) error {
	if a.lost == nil {
		if a.lost = c.err; a.lost == nil || errors.Is(a.lost, io.EOF) {
			a.lost = errLevels
		}
	}
	return a.lost
}

// wrong notes what is wrong with the row. Reading goes on, so that the columns stay in step.
func (a *Assembler) wrong(err error) {
	if a.bad == nil {
		a.bad = err
	}
}

// defined returns up to which level the next value in a node is defined.
func (a *Assembler) defined(n *node) int {
	c := a.cursors[n.first]
	v := c.peek()
	if v == nil {
		_ = a.loses(c) // kept in lost
		return -1
	}
	return v.DefinitionLevel()
}

// skip moves on behind a null, of which each leaf has one value.
func (a *Assembler) skip(n *node) {
	for _, c := range a.cursors[n.first:n.last] {
		if c.peek() == nil {
			_ = a.loses(c) // kept in lost
			return
		}
		c.next()
	}
}

// value appends the next value in a node, or nothing if it is null.
func (a *Assembler) value(dst []byte, n *node) (out []byte, null bool) {
	switch {
	case n.form == formNull:
		return dst, true
	case !n.required && a.defined(n) < n.present:
		a.skip(n)
		return dst, true
	}
	switch n.form {
	case formList, formMap:
		return a.repeated(dst, n), false
	case formGroup:
		for _, kid := range n.kids {
			dst = a.sized(dst, kid, true)
		}
		return dst, false
	}
	c := a.cursors[n.first]
	v := c.peek()
	if v == nil || v.IsNull() {
		_ = a.loses(c) // kept in lost
		return dst, true
	}
	before := len(dst)
	dst, err := n.convert(dst, *v)
	if err != nil {
		a.wrong(err)
		dst = dst[:before]
	}
	c.next()
	return dst, false
}

// repeated appends a list, a set, a vector or a map.
func (a *Assembler) repeated(dst []byte, n *node) []byte {
	at, count := len(dst), 0
	if n.typ.Kind != codec.Vector {
		dst = append(dst, 0, 0, 0, 0)
	}
	if a.defined(n) < n.element {
		a.skip(n)
	} else {
		for more := true; more && a.lost == nil; count++ {
			for _, kid := range n.kids {
				if n.typ.Kind == codec.Vector {
					dst = a.packed(dst, kid)
				} else {
					dst = a.sized(dst, kid, false)
				}
			}
			v := a.cursors[n.first].peek()
			more = v != nil && v.RepetitionLevel() >= n.repeats
		}
	}
	switch {
	case n.typ.Kind != codec.Vector:
		binary.BigEndian.PutUint32(dst[at:], uint32(count)) //nolint:gosec // each has four bytes or more
	case count != n.typ.Dim:
		a.wrong(fmt.Errorf("%d elements in a vector of %d", count, n.typ.Dim))
	}
	return dst
}

var errNullElement = errors.New("a null inside a collection, where CQL allows none")

// sized appends a value with its length before it.
func (a *Assembler) sized(dst []byte, n *node, nullable bool) []byte {
	at := len(dst)
	dst, null := a.value(append(dst, 0, 0, 0, 0), n)
	if null && !nullable {
		a.wrong(errNullElement)
	}
	dst, err := putLength(dst, at, null)
	if err != nil {
		a.wrong(err)
	}
	return dst
}

// packed appends an element of a vector.
func (a *Assembler) packed(dst []byte, n *node) []byte {
	at := len(dst)
	dst, null := a.value(dst, n)
	if null {
		a.wrong(errNullElement)
	}
	if n.typ.PackedLen() > 0 {
		return dst
	}
	size := len(dst) - at
	length := appendVint(nil, uint64(size)) //nolint:gosec // a length
	dst = append(dst, length...)            // room
	copy(dst[at+len(length):], dst[at:at+size])
	copy(dst[at:], length)
	return dst
}
