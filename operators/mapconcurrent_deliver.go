package operators

import (
	"context"
	"runtime"

	"github.com/rxcql/rxcql/flow"
)

// deliver hands on results until none is ready, in the goroutine that reads the stream.
func (f *concurrency[T, U]) deliver(ctx context.Context, out flow.Observer[U]) error {
	runtime.Gosched() // calls that end at the same moment go on together
	for {
		p := f.next()
		if p == nil {
			return nil
		}
		err := flow.Emit(ctx, f.account, p, nil, out)
		clear(p.Rows)
		if err != nil {
			return err
		}
		limit := flow.DemandOf(out)
		f.mu.Lock()
		if limit > 0 {
			limit += f.delivered
		}
		if limit != f.limit {
			f.limit = limit
			f.wake()
		}
		f.mu.Unlock()
	}
}

// next takes the results that are ready, as a page, and makes room for as many rows. If nothing is
// ready it returns nil, and the reader must be told of the next result.
func (f *concurrency[T, U]) next() *flow.Page[U] {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := f.nextTold()
	switch {
	case p != nil:
	case f.unordered:
		p = f.nextOfAny()
	default:
		p = f.nextOfOldest()
	}
	if p == nil {
		f.delivering = false
		return nil
	}
	f.makeRoom()
	return p
}

func (f *concurrency[T, U]) nextOfAny() *flow.Page[U] {
	if len(f.ready.results) == 0 {
		return nil
	}
	full := f.ready
	f.ready, f.spare = resultsOf[U]{results: f.spare.results[:0], of: f.spare.of[:0]}, full
	reservation := f.account.Reservation()
	reservation.Emit()
	for _, c := range full.of {
		f.release(reservation, c, c.ready, c.readyBytes)
		c.ready, c.readyBytes = 0, 0
	}
	clear(full.of)
	f.delivered += int64(len(full.results))
	return &flow.Page[U]{Rows: full.results, Reservation: reservation}
}

func (f *concurrency[T, U]) nextOfOldest() *flow.Page[U] {
	if len(f.queue) == 0 {
		return nil
	}
	c := f.queue[0]
	end, bytes := c.next, int64(0)
	for end < len(c.done) && c.done[end] {
		bytes += int64(c.bytes[end])
		end++
	}
	n := end - c.next
	if n == 0 && c.left > 0 {
		return nil
	}
	rows := c.resultsOf(c.next, end)
	f.leftOut -= int64(n - len(rows))
	c.next = end
	reservation := f.account.Reservation()
	reservation.Say(c.reservation.Advance())
	if n < c.left {
		reservation.Hush() // more of the page follows
	}
	reservation.Emit()
	f.release(reservation, c, n, bytes)
	if c.left == 0 {
		f.queue[0] = nil
		f.queue = f.queue[1:]
	}
	f.delivered += int64(n)
	return &flow.Page[U]{Rows: rows, Reservation: reservation}
}

// release moves the bytes and receipts of n results of a page to the reservation that they are
// delivered under.
func (f *concurrency[T, U]) release(to *flow.Reservation, c *inputPage[U], n int, bytes int64) {
	to.Take(c.reservation, bytes)
	c.left -= n
	if c.left == 0 {
		f.gone(c)
		c.reservation.Settle()
	}
}

// makeRoom wakes the upstream that waits for room, when half of what may wait for a call is gone,
// or calls would run out of rows. If it were woken for each row, each row would cost two goroutine
// switches. The caller holds mu.
func (f *concurrency[T, U]) makeRoom() {
	held := f.admitted - f.delivered
	if held <= f.low || held < f.window && f.admitted-f.finished < f.calls {
		f.wake()
	}
}

// wake wakes the upstream that waits. The caller holds mu.
func (f *concurrency[T, U]) wake() {
	if !f.waiting {
		return
	}
	f.waiting = false
	select {
	case f.room <- struct{}{}:
	default:
	}
}

// end gives up the rows that have not been delivered. No call is being made by then.
func (f *concurrency[T, U]) end(err error) {
	for c := range f.pages {
		c.reservation.Finish(err)
	}
	f.endTelling()
	if err == nil || flow.IsEnd(err) { // otherwise they are not dropped on purpose
		f.st.CountDropped(int(f.arrived - f.delivered - f.leftOut))
	}
}
