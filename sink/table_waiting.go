package sink

import (
	"cmp"
	"encoding/binary"
	"slices"
	"unsafe"

	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/codec"
)

// waitingRows are rows that wait to be put in the order of their tokens: encoded, and without the
// memory of requests. There are tens of thousands of them, so they have no pointers.
type waitingRows struct {
	buf   []byte // of each row, its cells
	rows  []waitingRow
	order []waitingToken
	gone  int  // how many of order have been taken
	ready bool // they are in order

	pages      []flow.Position
	statements []*statement
	kept       []*keptRow // of each row, unless none is needed

	cells []codec.Cell // of the row that next gave last
}

type waitingRow struct {
	timestamp int64
	start     uint32 // of its cells in buf
	page      uint32 // in pages
	index     uint32 // in that page
	statement uint32 // in statements
	ttl       int32
}

type waitingToken struct {
	token int64
	row   uint32
}

// What a row takes in addition to its cells, and what changes of page and statement take.
const (
	waitingCost   = int64(unsafe.Sizeof(waitingRow{}) + unsafe.Sizeof(waitingToken{}) + unsafe.Sizeof((*keptRow)(nil)))
	pageCost      = int64(unsafe.Sizeof(flow.Position{}))
	statementCost = int64(unsafe.Sizeof((*statement)(nil)))
)

// How a cell is written: one of these, or the length of its bytes and lengthFrom.
const (
	cellNull    = 0
	cellElement = 1 // nullElement
	lengthFrom  = 2
)

// costs returns how many bytes a row would take.
func (w *waitingRows) costs(r batchRow, cells []codec.Cell) int64 {
	cost := waitingCost
	for i := range cells {
		n := int64(len(cells[i].Bytes))
		if cost += 1 + n; n+lengthFrom > 127 { // its length takes up to five bytes
			cost += 4
		}
	}
	if w.newPage(r) {
		cost += pageCost
	}
	if w.newStatement(r) {
		cost += statementCost
	}
	return cost*grown/4 + r.kept.size()
}

func (w *waitingRows) newPage(r batchRow) bool {
	n := len(w.pages)
	return n == 0 || w.pages[n-1] != r.at
}

func (w *waitingRows) newStatement(r batchRow) bool {
	n := len(w.statements)
	return n == 0 || w.statements[n-1] != r.statement
}

// add keeps a row.
func (w *waitingRows) add(token int64, r batchRow, cells []codec.Cell) {
	if w.newPage(r) {
		w.pages = append(w.pages, r.at)
	}
	if w.newStatement(r) {
		w.statements = append(w.statements, r.statement)
	}
	before := len(w.buf)
	for _, c := range cells {
		switch {
		case !c.Null:
			w.buf = binary.AppendUvarint(w.buf, uint64(len(c.Bytes))+lengthFrom)
			w.buf = append(w.buf, c.Bytes...)
		case c.Bytes != nil:
			w.buf = append(w.buf, cellElement)
		default:
			w.buf = append(w.buf, cellNull)
		}
	}
	n := len(w.order)
	w.ready = n == 0 || w.ready && w.order[n-1].token <= token
	w.order = append(w.order, waitingToken{token, uint32(len(w.rows))})
	w.rows = append(w.rows, waitingRow{
		timestamp: r.timestamp, start: uint32(before), page: uint32(len(w.pages) - 1), index: uint32(r.index),
		statement: uint32(len(w.statements) - 1), ttl: r.ttl,
	})
	if r.kept != nil {
		w.kept = append(w.kept, r.kept)
	}
}

// sort puts the rows in the order of tokens. Rows of one token stay in theirs.
func (w *waitingRows) sort() {
	if w.ready {
		return
	}
	slices.SortFunc(w.order, func(a, b waitingToken) int {
		if c := cmp.Compare(a.token, b.token); c != 0 {
			return c
		}
		return cmp.Compare(a.row, b.row)
	})
	w.ready = true
}

// left reports whether there are rows that have not been taken.
func (w *waitingRows) left() bool { return w.gone < len(w.order) }

// taken is called when the row that next gives is in a batch.
func (w *waitingRows) taken() { w.gone++ }

// next gives the first row that has not been taken. Its cells are valid until the next call.
func (w *waitingRows) next() (token int64, r batchRow, cells []codec.Cell) {
	at := w.order[w.gone]
	row := &w.rows[at.row]
	r = batchRow{
		statement: w.statements[row.statement], ttl: row.ttl, timestamp: row.timestamp, at: w.pages[row.page], index: int(row.index),
	}
	if w.kept != nil {
		r.kept = w.kept[at.row]
	}
	end := len(w.buf)
	if int(at.row)+1 < len(w.rows) {
		end = int(w.rows[at.row+1].start)
	}
	w.cells = w.cells[:0]
	for rest := w.buf[row.start:end]; len(rest) > 0; {
		n, head := binary.Uvarint(rest)
		rest = rest[head:]
		switch n {
		case cellNull:
			w.cells = append(w.cells, codec.Cell{Null: true})
		case cellElement:
			w.cells = append(w.cells, nullElement)
		default:
			n -= lengthFrom
			w.cells = append(w.cells, codec.Cell{Bytes: rest[:n:n]})
			rest = rest[n:]
		}
	}
	return at.token, r, w.cells
}

// memory returns about how many bytes w has, of rows that wait or of earlier ones.
func (w *waitingRows) memory() int64 { return int64(cap(w.buf)) + int64(cap(w.rows))*waitingCost }

// reset empties w and keeps its memory, unless a large row has made that much more than so many
// bytes.
func (w *waitingRows) reset(keep int64) {
	if w.memory() > keep+keep/8 {
		*w = waitingRows{}
		return
	}
	clear(w.pages)
	clear(w.statements)
	clear(w.kept)
	w.buf, w.rows, w.order, w.gone = w.buf[:0], w.rows[:0], w.order[:0], 0
	w.pages, w.statements, w.kept = w.pages[:0], w.statements[:0], w.kept[:0]
}
