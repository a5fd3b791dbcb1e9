package operators

import (
	"context"
	"fmt"
	"sync"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/overflow"
)

// buffering is one run of Buffer, and the observer of the stream before it. Rows come in the
// goroutine of that stream, and are delivered in the one that reads.
type buffering[T any] struct {
	st      *rxcql.Stage
	account *flow.Account
	policy  rxcql.Overflow
	size    func(*T) int
	keep    func(T) T
	tell    func() error  // has the reader look for rows
	room    chan struct{} // tells the waiting upstream that it may go on

	mu         sync.Mutex
	queue      *overflow.Queue[T, *bufferedPage]
	told       flow.Advances     // what no row that waits holds back
	telling    *flow.Reservation // moves while there is something in told; nil while there is not
	waiting    bool              // upstream waits for room
	delivering bool              // the reader has been told, and delivers until nothing waits
	failed     bool              // for want of room: nothing more is to be delivered
	stopped    bool

	arrived, overflowed, delivered int // rows
}

// bufferedPage is what the rows of a page came with.
type bufferedPage struct {
	reservation *flow.Reservation // of the rows that wait
	said        flow.Advance
	behind      flow.Advances // said after it, by pages that have no rows here
}

func newBuffering[T any](st *rxcql.Stage, n int, bytes int64, policy rxcql.Overflow) *buffering[T] {
	if bytes == 0 {
		bytes = st.Run().Budget() / 4
	}
	return &buffering[T]{
		st: st, account: st.Account(true), policy: policy, size: atLeastOne(rxcql.SizeFunc[T]()), keep: rxcql.CloneFunc[T](),
		room: make(chan struct{}, 1), queue: overflow.New[T, *bufferedPage](overflow.Policy(policy), n, bytes),
	}
}

func (b *buffering[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	b.account.UsedIn(ctx)
	b.mu.Lock()
	b.arrived += len(p.Rows)
	b.mu.Unlock()
	for begun, from := false, 0; !begun || from < len(p.Rows); begun = true {
		taken, err := b.put(p, from)
		if err != nil {
			return err
		}
		if from += taken; from < len(p.Rows) {
			if err := b.refused(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// put puts the rows of a page from a row on into the queue, and returns how many it has dealt with.
func (b *buffering[T]) put(p *flow.Page[T], from int) (taken int, err error) {
	of := &bufferedPage{said: p.Advance()}
	of.said.Position = p.From(from)
	b.mu.Lock()
	evicted := 0
	c, taken, dropped := b.queue.Put(of, p.Rows[from:], b.size, b.keep, func(c *overflow.Chunk[T, *bufferedPage], rows int, bytes int64) {
		evicted += rows
		b.evicted(c, bytes)
	})
	whole := from+taken == len(p.Rows)
	if c != nil {
		of.reservation = b.account.Reservation()
		of.reservation.Take(p.Reservation, c.Bytes)
		if !whole { // more of the page follows
			of.said = of.said.Hushed()
		}
	} else if whole {
		b.follow(p.Advance())
	}
	dropped += evicted
	b.overflowed += dropped
	announce := (c != nil || b.telling != nil) && b.announce()
	b.mu.Unlock()
	b.st.CountOverflowed(dropped, b.policy)
	if announce {
		err = b.tell()
	}
	return taken, err
}

// evicted gives back what rows of a chunk owed that were dropped to make room. The caller holds mu.
func (b *buffering[T]) evicted(c *overflow.Chunk[T, *bufferedPage], bytes int64) {
	gone := b.account.Reservation()
	gone.Take(c.Of.reservation, bytes)
	gone.Settle()
	if len(c.Rows) > 0 {
		return
	}
	c.Of.reservation.Settle()
	b.sayNow(c.Of.said)
	for _, a := range c.Of.behind.Take() {
		b.sayNow(a)
	}
}

// follow notes what a page without rows here says: it goes on behind the rows that wait. The caller
// holds mu.
func (b *buffering[T]) follow(a flow.Advance) {
	if !a.Says() {
		return
	}
	if newest := b.queue.Newest(); newest != nil {
		newest.Of.behind.Add(a)
		return
	}
	b.sayNow(a)
}

// sayNow notes what nothing holds back. Until it has been delivered it counts as moving, since
// downstream may then release what it holds because of it. The caller holds mu.
func (b *buffering[T]) sayNow(a flow.Advance) {
	if !a.Says() {
		return
	}
	if b.telling == nil {
		b.telling = b.account.Reservation()
		b.telling.Emit()
	}
	b.told.Add(a)
}

// announce notes that there is something to deliver, and reports whether the reader must be told.
// The caller holds mu.
func (b *buffering[T]) announce() bool {
	if b.delivering {
		return false
	}
	b.delivering = true
	return true
}

// refused is called with rows for which there is no room: it waits for room, or fails.
func (b *buffering[T]) refused(ctx context.Context) error {
	b.mu.Lock()
	rows, bytes := b.queue.Len()
	if b.policy == rxcql.OverflowFail {
		b.failed = true
		b.mu.Unlock()
		return b.st.Fail(fmt.Errorf("%w: %d rows of %d bytes wait; give Buffer more, or a policy that drops rows", rxcql.ErrOverflow, rows, bytes))
	}
	if rows == 0 { // they have been taken meanwhile
		b.mu.Unlock()
		return nil
	}
	b.waiting = true
	b.mu.Unlock()
	select {
	case <-b.room:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (b *buffering[T]) Done(_ context.Context, stopped bool) error {
	b.stopped = stopped
	return nil
}
