package rows

import (
	"slices"

	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/keyorder"
)

// Keyed is a Reader of rows together with their keys. A row that cannot be decoded has a key too,
// so it keeps its place among the rows, where it is zero.
type Keyed[T any] struct {
	decoding[T]
	own  int      // columns that T needs, the first ones
	raw  Raw[T]   // of rows that are not decoded; nil if T is decoded
	key  []int    // the key's columns
	keys keyCells // of all rows
}

// NewKeyed returns a Keyed that decodes the first own columns into T. key has the numbers of the
// columns that the key is made of.
func NewKeyed[T any](own int, key []int) *Keyed[T] { return &Keyed[T]{own: own, key: key} }

// NewKeyedRaw returns a Keyed of rows that are not decoded.
func NewKeyedRaw[T any](raw Raw[T], key []int) *Keyed[T] { return &Keyed[T]{raw: raw, key: key} }

// Read reads a page, see Reader. The keys of the page before are forgotten.
func (k *Keyed[T]) Read(p *driver.Page, rows []T) ([]T, []Undecoded, int64, error) {
	k.Drop()
	if k.raw != nil {
		return k.readRaw(p, rows)
	}
	if err := k.compile(p.Columns(), k.own); err != nil {
		return rows, nil, 0, err
	}
	k.keys.begin(p.Rows(), len(k.key))
	var size int64
	var bad []Undecoded
	rows = slices.Grow(rows, p.Rows())
	for p.Scan(k.cells) {
		rows = rows[:len(rows)+1] // the decoder writes every field that has a column
		last := len(rows) - 1
		n, err := k.plan.Decode(k.cells[:k.own], &rows[last])
		if err != nil {
			bad = append(bad, Undecoded{Index: last, Columns: k.columns, Cells: slices.Clone(k.cells), Err: err})
			clear(rows[last:])
			n = 0
		}
		size += int64(n)
		k.keys.add(k.cells, k.key)
	}
	return rows, bad, size + k.keys.size(), p.Err()
}

func (k *Keyed[T]) readRaw(p *driver.Page, rows []T) ([]T, []Undecoded, int64, error) {
	rows, cells, size, err := k.raw.ReadCells(p, rows)
	k.keys.of(cells, len(p.Columns()), k.key)
	return rows, nil, size + k.keys.size(), err
}

// At returns the key of a row of the page; that of no row if there is none. You must not change its
// cells: they may be those of the row itself.
func (k *Keyed[T]) At(row int) keyorder.Key { return k.keys.at(row) }

// Drop forgets the keys, so that nothing they refer to stays in memory.
func (k *Keyed[T]) Drop() { k.keys.drop() }
