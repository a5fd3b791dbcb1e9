package operators

import (
	"context"
	"errors"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// lane is one lane. Its fields are under the mutex of all, except the channel.
type lane[T any] struct {
	of   *lanes[T]
	wake chan struct{} // has a token when there is a page, or no further one comes

	queue   []*flow.Page[T]
	waiting int           // room that the queue takes: its rows, and 1 for a page without
	work    *flow.Page[T] // that it works on
	begun   bool          // something reads the lane
	over    bool          // its chain has ended
	err     error         // with this error
	demand  int64         // rows that its chain wants, 0 for no limit
	while   int64         // and what downstream of all lanes wanted a moment before
	free    [][]T         // slices to be used again
}

// run hands the pages of the lane to its chain.
func (q *lane[T]) run(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
	wanted := q.of.wanted.Load()
	if !q.begin(flow.DemandOf(out), wanted) {
		return st.Fail(errors.New("the stream given to the chain of Lanes can be read only once"))
	}
	for {
		p, err := q.next(ctx)
		if err != nil {
			return err
		}
		if p == nil {
			return out.Done(ctx, q.of.stopped)
		}
		st.CountIn(len(p.Rows))
		q.of.split.CountOut(len(p.Rows))
		err = out.Next(ctx, p)
		p.Finish(err)
		if err != nil {
			return err // and over ends the work, when it is known what the error means
		}
		wanted = q.of.wanted.Load() // first: while other lanes hand rows on, the chain wants ever fewer
		q.done(flow.DemandOf(out), wanted)
	}
}

// begin notes that the lane is read, and what its chain wants. It reports whether this is the first
// time.
func (q *lane[T]) begin(demand, wanted int64) bool {
	l := q.of
	l.mu.Lock()
	defer l.mu.Unlock()
	if q.begun {
		return false
	}
	q.begun, q.demand, q.while = true, demand, wanted
	tell(l.room)
	return true
}

// next returns the next page; nil if none follows.
func (q *lane[T]) next(ctx context.Context) (*flow.Page[T], error) {
	for {
		p, more := q.take()
		if p != nil || !more {
			return p, nil
		}
		select {
		case <-q.wake:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// take takes the first page of the queue. more reports whether one may follow.
func (q *lane[T]) take() (p *flow.Page[T], more bool) {
	l := q.of
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(q.queue) == 0 {
		return nil, !l.ended
	}
	p = q.queue[0]
	q.queue[0] = nil
	q.queue = q.queue[1:]
	q.waiting -= max(1, len(p.Rows))
	q.work = p
	tell(l.room)
	return p, true
}

// done notes that the chain is done with the page that it worked on, and what it wants now.
func (q *lane[T]) done(demand, wanted int64) {
	l := q.of
	l.mu.Lock()
	defer l.mu.Unlock()
	rows := q.work.Rows
	q.work = nil
	q.demand, q.while = demand, wanted
	l.rows -= len(rows)
	if clear(rows); cap(rows) > 0 && len(q.free) < 2 {
		q.free = append(q.free, rows)
	}
	tell(l.room)
}

// slice returns a slice for so many rows.
func (q *lane[T]) slice(n int) []T {
	q.of.mu.Lock()
	defer q.of.mu.Unlock()
	for i, rows := range q.free {
		if cap(rows) >= n {
			q.free[i] = q.free[len(q.free)-1]
			q.free = q.free[:len(q.free)-1]
			return rows[:0]
		}
	}
	return make([]T, 0, n)
}
