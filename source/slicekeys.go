package source

import (
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/keyorder"
	"github.com/rxcql/rxcql/internal/rows"
)

// keyedReader reads rows, and says the key of each of them until Drop. A key is valid until the
// next call of At.
type keyedReader[T any] interface {
	rows.Reader[T]
	At(row int) keyorder.Key
	Drop()
}

// keyedOf returns what reads rows of a table with their keys.
func keyedOf[T any](s *slicing, reader rows.Reader[T]) keyedReader[T] {
	if !isRow[T]() {
		return rows.NewKeyed[T](s.own, s.key)
	}
	return &rowKeys[T]{reader: reader, columns: s.key}
}

// rowKeys takes keys out of undecoded rows, and only of those that are asked for: of most pages,
// the last one.
type rowKeys[T any] struct {
	reader  rows.Reader[T]
	columns []int
	rows    []rxcql.Row // of the page
	cells   [][]byte
}

// Read reads a page, see rows.Reader.
func (k *rowKeys[T]) Read(p *driver.Page, to []T) ([]T, []rows.Undecoded, int64, error) {
	before := len(to)
	to, bad, size, err := k.reader.Read(p, to)
	k.rows = any(to[before:]).([]rxcql.Row) //nolint:forcetypeassert // keyedOf says so
	return to, bad, size, err
}

// At returns the key of a row; that of no row if the row has not all columns of the key.
func (k *rowKeys[T]) At(row int) keyorder.Key {
	k.cells = k.cells[:0]
	if slices.Max(k.columns) >= k.rows[row].Len() {
		return keyorder.Key{}
	}
	for _, column := range k.columns {
		k.cells = append(k.cells, k.rows[row].Bytes(column))
	}
	return keyorder.Key{Cells: k.cells}
}

// Drop forgets the rows.
func (k *rowKeys[T]) Drop() {
	clear(k.cells)
	k.rows = nil
}

// narrowing returns what takes columns out of undecoded rows that were read for the sake of the key
// alone, and were not asked for. It is nil if there are none.
func narrowing[T any](s *slicing) func(rows []T) {
	if !isRow[T]() || slices.Max(s.key) < s.own {
		return nil
	}
	var wide, narrow *rxcql.Columns
	return func(read []T) {
		all := any(read).([]rxcql.Row) //nolint:forcetypeassert // isRow says so
		slab := make([][]byte, len(all)*s.own)
		for i, row := range all {
			if row.Columns() != wide {
				wide = row.Columns()
				narrow = rxcql.NewColumns(wide.List()[:s.own])
			}
			cells := slab[:s.own:s.own]
			slab = slab[s.own:]
			for c := range cells {
				cells[c] = row.Bytes(c)
			}
			all[i] = rxcql.NewRow(narrow, cells)
		}
	}
}
