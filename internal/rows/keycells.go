package rows

import (
	"slices"

	"github.com/rxcql/rxcql/internal/keyorder"
)

// keyCells are the keys of the rows of a page. Where the cells of the rows are in one slice, and
// the columns of the key follow each other, each key is a part of that slice, and costs nothing.
type keyCells struct {
	cells [][]byte // a key begins every width cells
	width int
	n     int      // cells of a key
	own   [][]byte // memory for keys that are copied, from page to page
}

// begin turns to the keys of a page of so many rows, which add adds.
func (k *keyCells) begin(rows, n int) {
	k.own = slices.Grow(k.own[:0], rows*n)
	k.cells, k.width, k.n = k.own, n, n
}

// add copies the key of the next row.
func (k *keyCells) add(row [][]byte, columns []int) {
	for _, column := range columns {
		k.own = append(k.own, row[column])
	}
	k.cells = k.own
}

// of turns to the keys of rows of so many columns, whose cells follow each other. There are none if
// the rows have not all columns of the key.
func (k *keyCells) of(rows [][]byte, width int, columns []int) {
	k.drop()
	switch {
	case len(rows) == 0 || slices.Max(columns) >= width:
	case consecutive(columns):
		k.cells, k.width, k.n = rows[columns[0]:], width, len(columns)
	default:
		k.begin(len(rows)/width, len(columns))
		for ; len(rows) >= width; rows = rows[width:] {
			k.add(rows[:width], columns)
		}
	}
}

func consecutive(columns []int) bool {
	for i, column := range columns {
		if column != columns[0]+i {
			return false
		}
	}
	return true
}

// size returns the bytes that keys take in addition to the rows and to what they refer to.
func (k *keyCells) size() int64 { return 24 * int64(len(k.own)) }

func (k *keyCells) at(row int) keyorder.Key {
	first := row * k.width
	if first >= len(k.cells) {
		return keyorder.Key{}
	}
	return keyorder.Key{Cells: k.cells[first : first+k.n : first+k.n]}
}

func (k *keyCells) drop() {
	clear(k.own)
	k.own, k.cells = k.own[:0], nil
}
