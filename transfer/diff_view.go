package transfer

import (
	"encoding/binary"

	"github.com/rxcql/rxcql"
)

// view finds the cells of a comparison in the rows of one side. It belongs to one goroutine.
type view struct {
	c       *comparison
	right   bool
	columns *rxcql.Columns // of the rows for which the rest was made
	key     []int
	static  []cellPlace
	regular []cellPlace
	cells   *cellHash
}

// cellPlace says where in a row a column is, its write times and its expiry; -1 for nowhere.
type cellPlace struct{ value, writes, expires int }

func newView(c *comparison, right bool) *view {
	return &view{c: c, right: right, cells: newCellHash()}
}

// names of the columns that source.Times adds to a row.
func writesName(column string) string  { return "writetime(" + column + ")" }
func expiresName(column string) string { return "expires(" + column + ")" }

// of makes the view one of rows with the columns of this row.
func (v *view) of(row rxcql.Row) {
	if row.Columns() == v.columns {
		return
	}
	v.columns = row.Columns()
	index := map[string]int{}
	for i, c := range v.columns.List() {
		index[c.Name] = i
	}
	at := func(name string) int {
		if i, found := index[name]; found {
			return i
		}
		return -1
	}
	places := func(pairs []columnPair) []cellPlace {
		all := make([]cellPlace, len(pairs))
		for i := range pairs {
			name := pairs[i].of(v.right).Name
			all[i] = cellPlace{value: at(name), writes: at(writesName(name)), expires: at(expiresName(name))}
		}
		return all
	}
	v.key = v.key[:0]
	for i := range v.c.key {
		v.key = append(v.key, at(v.c.key[i].of(v.right).Name))
	}
	v.static, v.regular = places(v.c.static), places(v.c.regular)
}

// keyOf returns the encoded key of a row; its cells are those of the row.
func (v *view) keyOf(row rxcql.Row) [][]byte {
	key := make([][]byte, len(v.key))
	for i, at := range v.key {
		key[i] = row.Bytes(at)
	}
	return key
}

// isRow reports whether a row is one, and not a partition that has static columns only.
func (v *view) isRow(row rxcql.Row) bool {
	return len(v.key) == v.c.partition || row.Bytes(v.key[v.c.partition]) != nil
}

// hasStatics reports whether one of the static columns has a value.
func (v *view) hasStatics(row rxcql.Row) bool {
	for _, at := range v.static {
		if row.Bytes(at.value) != nil {
			return true
		}
	}
	return false
}

// places returns where the static columns are, or the regular ones.
func (v *view) places(static bool) []cellPlace {
	if static {
		return v.static
	}
	return v.regular
}

// latest returns the latest write time of the regular columns of a row, or of its partition's
// static ones; noTime if none is known.
func (v *view) latest(row rxcql.Row, static bool) int64 {
	latest := int64(noTime)
	for _, at := range v.places(static) {
		latest = max(latest, cellOf(row, at).latest())
	}
	return latest
}

// hash returns the hash of the key and the values of a row, or of its partition's static columns.
func (v *view) hash(row rxcql.Row, static bool) uint64 {
	v.cells.reset()
	key := v.key
	if static {
		key = key[:v.c.partition]
	}
	for _, at := range key {
		v.cells.add(row.Bytes(at))
	}
	for _, at := range v.places(static) {
		v.cells.add(row.Bytes(at.value))
	}
	return v.cells.sum()
}

// hashTimes is hash with the write times, if those are compared. It changes when the row is
// written.
func (v *view) hashTimes(row rxcql.Row, static bool) uint64 {
	h := v.hash(row, static)
	if !v.c.times {
		return h
	}
	for _, at := range v.places(static) {
		for _, t := range row64(row, at.writes) {
			v.cells.add(binary.BigEndian.AppendUint64(nil, uint64(t))) //nolint:gosec // its bits
		}
	}
	return h ^ v.cells.sum()*31
}
