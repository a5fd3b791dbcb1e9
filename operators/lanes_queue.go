package operators

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// lanes is one run of Lanes: the pages on their way from the stream before it into the lanes.
type lanes[T any] struct {
	account *flow.Account
	all     []*lane[T]
	wanted  *atomic.Int64     // rows that downstream of all lanes wants, 0 for no limit
	room    chan struct{}     // has a token when something has changed that the reading may wait for
	ending  *flow.Reservation // moves while the lanes end; nil before. Only the reading uses it.

	mu      sync.Mutex
	open    int    // lanes that have not ended
	rows    int    // in the lanes, waiting or at work
	ended   bool   // no page follows
	stopped bool   // because reading was stopped
	reading func() // ends the reading; nil while nothing is read
	split   *rxcql.Stage
	origins map[*flow.Origin]struct{} // of the pages that said something of their part, and that have not ended in all lanes
}

func newLanes[T any](st *rxcql.Stage, n int, wanted *atomic.Int64) *lanes[T] {
	l := &lanes[T]{
		account: st.Account(true), wanted: wanted, room: make(chan struct{}, 1), open: n, origins: map[*flow.Origin]struct{}{},
	}
	for range n {
		l.all = append(l.all, &lane[T]{of: l, wake: make(chan struct{}, 1)})
	}
	return l
}

// tell puts a token into a channel, unless one is there.
func tell(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// wait waits until ready returns true. ready is called with mu held. Only the reading calls it.
func (l *lanes[T]) wait(ctx context.Context, ready func() bool) error {
	for {
		l.mu.Lock()
		done := ready()
		l.mu.Unlock()
		if done {
			return nil
		}
		select {
		case <-l.room:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// awaitLanes waits until all lanes are being read, or have ended.
func (l *lanes[T]) awaitLanes(ctx context.Context) error {
	return l.wait(ctx, func() bool {
		for _, lane := range l.all {
			if !lane.begun && !lane.over {
				return false
			}
		}
		return true
	})
}

// put hands a page to a lane and waits while that is full. The rows of a page for a lane that has
// ended are dropped.
func (l *lanes[T]) put(ctx context.Context, to *lane[T], p *flow.Page[T]) error {
	var over bool
	var failed error
	err := l.wait(ctx, func() bool {
		room := max(1, len(p.Rows))
		if over, failed = to.over, to.err; over {
			return true
		}
		if to.waiting > 0 && to.waiting+room > laneRows {
			return false
		}
		to.queue = append(to.queue, p)
		to.waiting += room
		l.rows += len(p.Rows)
		return true
	})
	if err == nil && !over {
		tell(to.wake)
		return nil
	}
	if err == nil {
		err = failed
	}
	l.drop(p, err)
	return err
}

// drop gives up a page that has not come into the chain of its lane. The rows are dropped on
// purpose, unless there is an error.
func (l *lanes[T]) drop(p *flow.Page[T], err error) {
	if err == nil || flow.IsEnd(err) {
		l.split.CountDropped(len(p.Rows))
	}
	p.Finish(err)
}

// over notes that a lane has ended. When all have, and none has failed, nothing more is read.
func (l *lanes[T]) over(q *lane[T], err error) {
	l.mu.Lock()
	left, work := q.queue, q.work
	q.queue, q.waiting, q.work, q.over, q.err = nil, 0, nil, true, err
	for _, p := range left {
		l.rows -= len(p.Rows)
	}
	if work != nil {
		l.rows -= len(work.Rows)
	}
	l.open--
	quit := l.reading
	if l.open > 0 || l.ended || slices.ContainsFunc(l.all, func(q *lane[T]) bool { return q.err != nil }) {
		quit = nil
	}
	l.mu.Unlock()
	for _, p := range left {
		l.drop(p, err)
	}
	if work != nil {
		work.Finish(err) // if the lane was left by runtime.Goexit; else that was done
	}
	tell(l.room)
	if quit != nil {
		quit()
	}
}

// finish says that no further page comes.
func (l *lanes[T]) finish() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.ended = true
	for _, q := range l.all {
		tell(q.wake)
	}
}

// mayReadOn reports whether the lanes want more rows than they have. The caller holds mu.
func (l *lanes[T]) mayReadOn() bool {
	if slices.ContainsFunc(l.all, func(q *lane[T]) bool { return q.err != nil }) {
		return false
	}
	limit := l.limit()
	return limit == 0 || int64(l.rows) < limit
}

// limit returns how many rows the lanes may have together, 0 for no limit. The caller holds mu.
//
// What a chain wants was asked when it was done with its last page. Since then other lanes may have
// given downstream some of what it wants. So it counts in proportion to that.
func (l *lanes[T]) limit() (most int64) {
	if l.open == 0 {
		return 1 // the reading is about to be ended
	}
	now := l.wanted.Load()
	for _, q := range l.all {
		if q.over {
			continue
		}
		wants := q.demand
		if wants == 0 {
			return 0
		}
		if now > 0 && now < q.while {
			wants = max(1, int64(float64(wants)*float64(now)/float64(q.while)))
		}
		most = max(most, wants)
	}
	return most
}

// forget forgets a source that has ended in all lanes. A stream that is read again for years
// (Retry) has ever new ones.
func (l *lanes[T]) forget(o *flow.Origin) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.origins, o)
}

// knows reports whether a part is one of the source's own, about which every lane has been told.
func (l *lanes[T]) knows(part flow.PartID) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, known := l.origins[part.Source]
	return known
}
