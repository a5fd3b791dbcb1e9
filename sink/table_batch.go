package sink

import (
	"time"

	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
)

// batch is rows of one partition (of one replica set with BatchByReplicaSet) on
// their way to the server: their encoded values, copied into memory of its own, and
// what they owe. Batches are used again; gocql copies bound values into the request's
// frame before it sends it, so nothing refers to them once a request has returned,
// not even one that timed out or was given up.
type batch struct {
	key   []byte    // of the partition, or the number of the replica set
	waits time.Time // since when: from the end of the Write that began it, which may have waited itself

	buf  []byte
	ends []end // one a cell: where it ends in buf
	rows []batchRow

	lease *flow.Lease
	fresh bool  // rows of the current page are in it that the lease does not answer for yet
	owed  int64 // bytes of these; may be 0, where all cells are empty
	held  int64 // bytes in all, as the budget sees them

	tokens  []int64 // of the partitions, where batches are by replica set
	cost    int     // bytes, as the server counts them there
	counted int64   // of held, in openBatches

	request request // reused
	older   *batch  // in openBatches
	newer   *batch
}

type end struct {
	at    int32
	state driver.State
}

type batchRow struct {
	statement *statement
	ends      int32 // the row's cells are those up to here
	ttl       int32 // seconds; 0 for the table's default
	timestamp int64 // microseconds
	at        flow.Position
	index     int // in its page
	kept      *keptRow
}

func (b *batch) add(r batchRow, cells []codec.Cell, nulls driver.State) {
	before := len(b.buf)
	for _, c := range cells {
		state := driver.Set
		switch {
		case !c.Null:
			b.buf = append(b.buf, c.Bytes...)
		case c.Bytes != nil: // nullElement
			state = driver.Null
		default:
			state = nulls
		}
		b.ends = append(b.ends, end{int32(len(b.buf)), state})
	}
	r.ends = int32(len(b.ends))
	b.rows = append(b.rows, r)
	cost := int64(len(b.buf)-before) + costOf(len(cells)) + r.kept.size()
	if len(b.rows) == 1 {
		cost += batchCost
	}
	b.fresh = true
	b.owed += cost
	b.held += cost
}

// costOf is what a row of so many cells takes beside their bytes.
func costOf(cells int) int64 { return rowCost + int64(cells)*cellCost }

// take moves what the rows of a page owe to the batch.
func (b *batch) take(from *flow.Lease) {
	if b.fresh {
		b.lease.Take(from, b.owed)
		b.fresh, b.owed = false, 0
	}
}

// cells returns the cells of a row as positions in ends.
func (b *batch) cells(row int) (first, after int) {
	if row > 0 {
		first = int(b.rows[row-1].ends)
	}
	return first, int(b.rows[row].ends)
}

// reset makes b empty and keeps its memory, except where a few large rows, or many
// cells, have made it large.
func (b *batch) reset(keep int, reuse int64) {
	clear(b.rows)
	*b = batch{key: b.key[:0], buf: b.buf[:0], ends: b.ends[:0], rows: b.rows[:0], tokens: b.tokens[:0], request: b.request}
	if cap(b.buf) > min(keep, int(max(reuse, 96<<10))) {
		b.buf = nil
	}
	if int64(max(cap(b.ends), cap(b.request.args)))*cellCost+int64(cap(b.rows))*rowCost > reuse {
		b.ends, b.rows, b.request = nil, nil, request{}
	}
}

func encodedSize(cells []codec.Cell) (n int) {
	for i := range cells {
		n += len(cells[i].Bytes)
	}
	return n
}

// openBatches are the batches that wait for more rows, by key and by age.
// Partitions usually come one after the other, but may be interleaved, as pages
// of several token ranges are.
type openBatches struct {
	byKey  map[string]*batch
	oldest *batch
	newest *batch
	last   *batch // that took the last row
	held   int64  // bytes of them all, as the budget sees them
}

// maxOpen bounds the batches that wait, and so does an eighth of the budget.
const maxOpen = 64

func (o *openBatches) find(key []byte) *batch {
	if o.last != nil && string(o.last.key) == string(key) {
		return o.last
	}
	o.last = o.byKey[string(key)]
	return o.last
}

func (o *openBatches) add(b *batch) {
	if o.byKey == nil {
		o.byKey = map[string]*batch{}
	}
	o.byKey[string(b.key)] = b
	b.older = o.newest
	if o.newest != nil {
		o.newest.newer = b
	} else {
		o.oldest = b
	}
	o.newest, o.last = b, b
}

// count keeps the bytes of a batch up to date among those of all.
func (o *openBatches) count(b *batch) {
	o.held += b.held - b.counted
	b.counted = b.held
}

func (o *openBatches) remove(b *batch) {
	o.held -= b.counted
	delete(o.byKey, string(b.key))
	if b.older != nil {
		b.older.newer = b.newer
	} else {
		o.oldest = b.newer
	}
	if b.newer != nil {
		b.newer.older = b.older
	} else {
		o.newest = b.older
	}
	b.older, b.newer = nil, nil
	if o.last == b {
		o.last = nil
	}
}
