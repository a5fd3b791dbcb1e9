package sink

import (
	"context"
	"encoding/binary"
	"errors"
	"unsafe"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/driver"
)

// timedBatch is what a batch has in addition if its rows have times. Row i of the batch is row i
// here.
type timedBatch struct {
	rows    []timedRow
	writes  []timedWrite // of all rows
	expired int64        // values that the last attempt left out
}

// timedRow is a row of a batch: its cells are those of its key, and then those of its writes.
type timedRow struct {
	bound int32 // how many cells are the key's
	after int32 // of timedBatch.writes
	tally timesTally
	reads *statement // see timedUnit
	left  int64      // lists that were not written
	extra bool
	lists bool
}

// timesTally is what TimesCounts count of a row.
type timesTally struct{ markers, keyOnly, lists, untimed, joined, left int64 }

// timedPart says which writes of rows go into a request.
type timedPart uint8

const (
	allWrites timedPart = iota
	withoutLists
	onlyLists
)

// has reports whether a write is one of the part.
func (p timedPart) has(w *timedWrite) bool {
	return p == allWrites || (p == onlyLists) == (w.list > 0)
}

// timedCost is what a write takes in addition to its cells.
const timedCost = int64(unsafe.Sizeof(timedWrite{})*grown/4) + rowCost

func (u *timedUnit) cost() int64 {
	if u == nil {
		return 0
	}
	return int64(unsafe.Sizeof(timedRow{})*grown/4) + int64(len(u.writes))*timedCost
}

// alone reports whether the unit must not be in a batch with others.
func (u *timedUnit) alone() bool { return u != nil && len(u.writes) > maxTimedStatements }

// addTimed adds the writes of a row whose cells have been added.
func (b *batch) addTimed(u *timedUnit) {
	row := timedRow{bound: int32(u.bound), tally: u.tally, reads: u.reads, extra: u.extra}
	first, _ := b.cells(len(b.rows) - 1)
	for _, w := range u.writes {
		w.first += int32(first)
		w.after += int32(first)
		row.lists = row.lists || w.statement.lists
		b.timed.writes = append(b.timed.writes, w)
	}
	row.after = int32(len(b.timed.writes))
	b.timed.rows = append(b.timed.rows, row)
	b.owed += u.cost()
	b.held += u.cost()
}

func (t *timedBatch) reset(reuse int64) {
	if int64(cap(t.rows))*int64(unsafe.Sizeof(timedRow{}))+int64(cap(t.writes))*int64(unsafe.Sizeof(timedWrite{})) > reuse {
		t.rows, t.writes = nil, nil
		return
	}
	clear(t.writes)
	t.rows, t.writes = t.rows[:0], t.writes[:0]
}

// statements returns how many statements the batch is.
func (b *batch) statements() int { return max(len(b.rows), len(b.timed.writes)) }

// extra reports whether a row of the batch is only the static columns that came with another one.
func (b *batch) extra(i int) bool { return len(b.timed.rows) > 0 && b.timed.rows[i].extra }

// sameRow reports whether two rows of the batch are parts of one row of the stream.
func (b *batch) sameRow(i, j int) bool {
	return (b.extra(i) || b.extra(j)) && b.rows[i].at == b.rows[j].at && b.rows[i].index == b.rows[j].index
}

// written returns how many rows of the stream the rows from..to are, and counts what was guessed
// and lost of them.
func (b *batch) written(from, to int, counts *TimesCounts) int {
	if len(b.timed.rows) == 0 {
		return to - from
	}
	n := 0
	var sum timesTally
	for _, row := range b.timed.rows[from:to] {
		if !row.extra {
			n++
		}
		sum.markers += row.tally.markers
		sum.keyOnly += row.tally.keyOnly
		sum.lists += row.tally.lists
		sum.untimed += row.tally.untimed
		sum.joined += row.tally.joined
		sum.left += row.left
	}
	if counts != nil {
		counts.add(sum, b.timed.expired)
	}
	return n
}

// first returns the first write of a row.
func (t *timedBatch) first(row int) int32 {
	if row == 0 {
		return 0
	}
	return t.rows[row-1].after
}

// bindTimed makes the arguments of the writes of rows that have not expired, and notes their
// statements. now is in seconds.
func (b *batch) bindTimed(from, to, attempt int, now int64, part timedPart) {
	r, t := &b.request, &b.timed
	start := t.first(from)
	writes := t.writes[start:t.rows[to-1].after]
	args := 0
	for i, w := from, start; i < to; i++ {
		for ; w < t.rows[i].after; w++ {
			args += int(t.rows[i].bound+t.writes[w].after-t.writes[w].first) + 2
		}
	}
	r.values, r.args, r.extra = grow(r.values, args), grow(r.args, args), grow(r.extra, 12*len(writes))
	r.counts, r.statements = r.counts[:0], r.statements[:0]
	if part != onlyLists { // these come behind the others of the same attempt
		t.expired = 0
	}
	n, extra, next := 0, r.extra, start
	for i := from; i < to; i++ {
		key, _ := b.cells(i)
		row, begun := &t.rows[i], int32(0)
		for ; next < row.after; next++ {
			w := &t.writes[next]
			if w.left || !part.has(w) {
				continue
			}
			left := int64(0)
			if w.expires != never {
				if left = w.expires - now; left <= 0 {
					t.expired += int64(w.values)
					continue
				}
			}
			st, at := w.statement, w.time
			if w.list > 0 {
				if w.list == begun {
					st = w.more
				}
				begun = w.list
				at = max(at+int64(attempt), w.least)
			}
			before := n
			timestamp := binary.BigEndian.AppendUint64(extra[:0], uint64(at))
			ttl := binary.BigEndian.AppendUint32(extra[8:8], uint32(left))
			extra = extra[12:]
			if st.updates {
				n = r.set(n, timestamp, driver.Set)
				n = r.set(n, ttl, driver.Set)
				n = b.setCells(n, w.first, w.after)
			}
			n = b.setCells(n, int32(key), int32(key)+row.bound)
			if !st.updates {
				n = b.setCells(n, w.first, w.after)
				n = r.set(n, timestamp, driver.Set)
				n = r.set(n, ttl, driver.Set)
			}
			r.counts = append(r.counts, n-before)
			r.statements = append(r.statements, st)
		}
	}
	r.args = r.args[:n]
}

// setCells makes arguments of cells.
func (b *batch) setCells(n int, first, after int32) int {
	start := int32(0)
	if first > 0 {
		start = b.ends[first-1].at
	}
	for _, e := range b.ends[first:after] {
		n = b.request.set(n, b.buf[start:e.at:e.at], e.state)
		start = e.at
	}
	return n
}

// gatherTimed puts a row with times into batches.
func (w *tableWriter[T]) gatherTimed(ctx context.Context, p *flow.Page[T], i int) error {
	row := any(&p.Rows[i]).(*rxcql.Row)
	units, err := w.timed.split(row)
	if err != nil {
		if errors.Is(err, rxcql.ErrSchema) { // not the fault of this row: all have these columns
			return w.st.Fail(err)
		}
		return w.st.RowFailed(ctx, p.Reservation, rxcql.FailedRow{Position: p.Position, Index: i, Row: p.Rows[i], Err: err})
	}
	plan := w.timed.plan.plan
	for _, u := range units {
		r := batchRow{statement: u.writes[0].statement, at: p.Position, index: i}
		if w.keep != nil {
			r.kept = w.keep(&p.Rows[i])
		}
		c := cells{all: u.key, bound: u.cells, timed: u}
		if w.routing.sets != nil && !u.alone() {
			err = w.addToSet(ctx, p.Reservation, plan, r, c)
		} else {
			w.key = plan.key(w.key[:0], u.key)
			err = w.add(ctx, p.Reservation, plan, r, c)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
