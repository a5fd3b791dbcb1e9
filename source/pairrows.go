package source

import (
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/keyorder"
)

// keyedReader reads rows together with their keys. A row that cannot be decoded has a key too, so
// it keeps its place among the rows, where it is zero.
type keyedReader[T any] struct {
	decoding[T]
	raw  rawReader
	own  int      // columns that T needs, the first ones
	key  []int    // the key's
	keys [][]byte // of all rows
}

func (r *keyedReader[T]) read(p *driver.Page, rows []T) ([]T, []undecoded, int64, error) {
	r.drop()
	r.keys = slices.Grow(r.keys, p.Rows()*len(r.key))
	if isRow[T]() {
		return r.readRaw(p, rows)
	}
	if err := r.compile(p.Columns(), r.own); err != nil {
		return rows, nil, 0, err
	}
	var size int64
	var bad []undecoded
	rows = slices.Grow(rows, p.Rows())
	for p.Scan(r.cells) {
		rows = rows[:len(rows)+1] // the decoder writes every field that has a column
		last := len(rows) - 1
		n, err := r.plan.Decode(r.cells[:r.own], &rows[last])
		if err != nil {
			bad = append(bad, newUndecoded(last, r.columns, r.cells, bad, err))
			clear(rows[last:])
			n = 0
		}
		size += int64(n)
		r.keep(r.cells)
	}
	return rows, bad, size + r.size(), p.Err()
}

func (r *keyedReader[T]) readRaw(p *driver.Page, rows []T) ([]T, []undecoded, int64, error) {
	read, _, size, err := r.raw.read(p, any(rows).([]rxcql.Row))
	for i := range read {
		for _, column := range r.key {
			r.keys = append(r.keys, read[i].Bytes(column))
		}
	}
	return any(read).([]T), nil, size + r.size(), err
}

// keep keeps the key of a row.
func (r *keyedReader[T]) keep(cells [][]byte) {
	for _, column := range r.key {
		r.keys = append(r.keys, cells[column])
	}
}

// size returns the bytes that keys take in addition to what they refer to.
func (r *keyedReader[T]) size() int64 { return 24 * int64(len(r.keys)) }

// at returns the key of a row; that of no row if there is none.
func (r *keyedReader[T]) at(row int) keyorder.Key {
	n := len(r.key)
	if row*n >= len(r.keys) {
		return keyorder.Key{}
	}
	return keyorder.Key{Cells: r.keys[row*n : (row+1)*n : (row+1)*n]}
}

// drop forgets the keys, so that nothing they refer to stays in memory.
func (r *keyedReader[T]) drop() {
	clear(r.keys)
	r.keys = r.keys[:0]
}
