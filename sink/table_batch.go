package sink

import (
	"time"

	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
)

// batch is rows of one partition (of one replica set with BatchByReplicaSet) on their way to the
// server: their encoded values, copied into the batch's own memory, and their reservation. Batches
// are reused. gocql copies bound values into the request's frame before it sends it; so nothing
// refers to them once a request has returned, even if it timed out or was given up.
type batch struct {
	key   []byte    // of the partition, or the number of the replica set
	waits time.Time // the time since when it waits: the end of the Write that began it, which may have waited itself

	buf  []byte
	ends []end // for each cell, where it ends in buf
	rows []batchRow

	reservation *flow.Reservation
	fresh       bool  // it has rows of the current page that the reservation does not include yet
	owed        int64 // bytes of these rows; 0 is possible, if all cells are empty
	held        int64 // bytes in all, as charged to the budget

	tokens  []int64 // of the partitions, with BatchByReplicaSet
	cost    int     // bytes as the server counts them, with BatchByReplicaSet
	counted int64   // the part of held that openBatches has counted

	timed   timedBatch // empty unless rows have times, see Times
	request request    // reused
	older   *batch     // in openBatches
	newer   *batch
}

type end struct {
	at    int32
	state driver.State
}

type batchRow struct {
	statement *statement
	ends      int32 // end of the row's cells in batch.ends
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

// costOf returns what a row of so many cells takes in addition to their bytes.
func costOf(cells int) int64 { return rowCost + int64(cells)*cellCost }

// take moves the batch's rows of the current page to the batch's reservation.
func (b *batch) take(from *flow.Reservation) {
	if b.fresh {
		b.reservation.Take(from, b.owed)
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

// reset empties b and keeps its memory, unless a few large rows, or many cells, have made it large.
func (b *batch) reset(keep int, reuse int64) {
	clear(b.rows)
	b.key, b.buf, b.ends, b.rows, b.tokens = b.key[:0], b.buf[:0], b.ends[:0], b.rows[:0], b.tokens[:0]
	b.timed.reset(reuse)
	b.reservation, b.fresh, b.waits = nil, false, time.Time{}
	b.owed, b.held, b.counted, b.cost = 0, 0, 0, 0
	if cap(b.buf) > min(keep, int(max(reuse, 96<<10))) {
		b.buf = nil
		clear(b.request.values[:cap(b.request.values)]) // their bytes lie there
	}
	if int64(max(cap(b.ends), cap(b.request.args)))*cellCost+int64(cap(b.rows))*rowCost > reuse {
		b.ends, b.rows, b.request = nil, nil, request{}
	} else {
		clear(b.request.statements)
	}
}

func encodedSize(cells []codec.Cell) (n int) {
	for i := range cells {
		n += len(cells[i].Bytes)
	}
	return n
}
