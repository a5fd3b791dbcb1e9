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
	own    int                                                   // columns that T needs, the first ones
	raw    Reader[T]                                             // of rows that are not decoded; nil if T is decoded
	keysOf func(rows []T, columns []int, keys [][]byte) [][]byte // appends those of such rows
	key    []int                                                 // the key's columns
	keys   [][]byte                                              // of all rows
}

// NewKeyed returns a Keyed that decodes the first own columns into T. key has the numbers of the
// columns that the key is made of.
func NewKeyed[T any](own int, key []int) *Keyed[T] { return &Keyed[T]{own: own, key: key} }

// NewKeyedRaw returns a Keyed of rows that are not decoded. keysOf appends the cells of the given
// columns, row by row, to keys.
func NewKeyedRaw[T any](raw Reader[T], key []int, keysOf func(rows []T, columns []int, keys [][]byte) [][]byte) *Keyed[T] {
	return &Keyed[T]{raw: raw, key: key, keysOf: keysOf}
}

// Read reads a page, see Reader. The keys of the page before are forgotten.
func (k *Keyed[T]) Read(p *driver.Page, rows []T) ([]T, []Undecoded, int64, error) {
	k.Drop()
	k.keys = slices.Grow(k.keys, p.Rows()*len(k.key))
	if k.raw != nil {
		return k.readRaw(p, rows)
	}
	if err := k.compile(p.Columns(), k.own); err != nil {
		return rows, nil, 0, err
	}
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
		for _, column := range k.key {
			k.keys = append(k.keys, k.cells[column])
		}
	}
	return rows, bad, size + k.size(), p.Err()
}

func (k *Keyed[T]) readRaw(p *driver.Page, rows []T) ([]T, []Undecoded, int64, error) {
	rows, _, size, err := k.raw.Read(p, rows)
	k.keys = k.keysOf(rows, k.key, k.keys)
	return rows, nil, size + k.size(), err
}

// size returns the bytes that keys take in addition to what they refer to.
func (k *Keyed[T]) size() int64 { return 24 * int64(len(k.keys)) }

// At returns the key of a row; that of no row if there is none.
func (k *Keyed[T]) At(row int) keyorder.Key {
	n := len(k.key)
	if row*n >= len(k.keys) {
		return keyorder.Key{}
	}
	return keyorder.Key{Cells: k.keys[row*n : (row+1)*n : (row+1)*n]}
}

// Drop forgets the keys, so that nothing they refer to stays in memory.
func (k *Keyed[T]) Drop() {
	clear(k.keys)
	k.keys = k.keys[:0]
}
