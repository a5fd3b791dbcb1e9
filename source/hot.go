package source

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/overflow"
	"github.com/rxcql/rxcql/internal/rx"
)

// hot is the buffer of a source in one run. Rows are put into it in a goroutine of the source's,
// and handed on in the one that reads the stream.
type hot[T any] struct {
	st      *rxcql.Stage
	policy  rxcql.Overflow
	size    func(*T) int
	account *flow.Account
	most    int64         // bytes that may wait, and that are charged
	ready   chan struct{} // has a token when rows wait, or none will come
	room    chan struct{} // has a token when rows have been taken

	mu          sync.Mutex
	queue       *overflow.Queue[T, struct{}]
	reservation *flow.Reservation // bytes of the rows that wait, no receipts
	over        bool              // no more rows will be put
	err         error             // why
}

// pageSize is what fills a page.
type pageSize struct {
	rows  int
	bytes int64
}

// newHot: what waits goes on only when the source has room for a page. So it does not free itself,
// and the buffers of all sources together leave room for the pages of each.
func newHot[T any](st *rxcql.Stage, b *buffer) *hot[T] {
	h := &hot[T]{
		st: st, policy: b.overflow, size: rxcql.SizeFunc[T](), account: st.Account(false), most: st.Input().Part() / 4,
		ready: make(chan struct{}, 1), room: make(chan struct{}, 1),
	}
	h.queue = overflow.New[T, struct{}](overflow.Policy(b.overflow), b.rows, h.most)
	h.reservation = h.account.Reservation()
	return h
}

// run has fill put rows, and gives them to give: as many as wait, but no more than a page. room
// is called before they are taken out of the buffer: until it returns they may still be dropped. It
// returns the error of give or room, or else that of fill.
func (h *hot[T]) run(ctx context.Context, page pageSize, fill func(context.Context) error, room func(context.Context) error, give func(rows []T) error) error {
	group, filling := h.st.TaskGroup(ctx)
	group.Go(func() error {
		err := fill(filling)
		h.mu.Lock()
		h.over, h.err = true, err
		h.mu.Unlock()
		wake(h.ready)
		return nil // what waits is still to be given
	})
	err, failed := rx.ErrExited, error(nil) // err stays if a function of the user's leaves the goroutine
	func() {
		defer func() {
			group.Cancel(err)
			failed = group.Wait()
			h.reservation.Release()
		}()
		err = h.give(filling, page, room, give)
	}()
	if failed != nil && ctx.Err() == nil { // a panic, or runtime.Goexit
		return failed
	}
	return cmp.Or(err, failed)
}

// give gives rows until no more come. It returns the error of fill: rows that came before an error
// of another kind than rxcql.ErrOverflow are given first.
func (h *hot[T]) give(ctx context.Context, page pageSize, room func(context.Context) error, give func(rows []T) error) error {
	rows := make([]T, 0, page.rows)
	for {
		waits, over, err := h.state()
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, rxcql.ErrOverflow), !waits && over:
			return err
		case !waits:
			select {
			case <-h.ready:
			case <-ctx.Done():
				return context.Cause(ctx)
			}
			continue
		}
		if err := room(ctx); err != nil {
			return err
		}
		rows = h.take(rows[:0], page)
		if err := give(rows); err != nil {
			return err
		}
		clear(rows)
	}
}

func (h *hot[T]) state() (waits, over bool, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	n, _ := h.queue.Len()
	return n > 0, h.over, h.err
}

// take takes a page of the rows that wait, in the order in which they came: one at least.
func (h *hot[T]) take(rows []T, page pageSize) []T {
	h.mu.Lock()
	defer h.mu.Unlock()
	rows, bytes := h.queue.TakeRows(rows, page.rows, page.bytes)
	h.free(bytes)
	wake(h.room)
	return rows
}

// put takes rows in. Their slice is the caller's again when it returns. Its error is the cause of
// ctx, or rxcql.ErrOverflow.
func (h *hot[T]) put(ctx context.Context, rows []T) error {
	for len(rows) > 0 {
		h.mu.Lock()
		evicted := 0
		c, taken, dropped := h.queue.Put(struct{}{}, rows, h.size, func(row T) T { return row }, func(_ *overflow.Chunk[T, struct{}], rows int, bytes int64) {
			evicted += rows
			h.free(bytes)
		})
		if c != nil {
			h.reservation.Take(&flow.Reservation{}, min(c.Bytes, h.most-h.reservation.Bytes()))
		}
		n, bytes := h.queue.Len()
		h.mu.Unlock()
		wake(h.ready)
		h.st.CountOverflowed(dropped+evicted, h.policy)
		if rows = rows[taken:]; len(rows) == 0 {
			return nil
		}
		if h.policy == rxcql.OverflowFail {
			return h.st.Fail(fmt.Errorf("%w: %d rows of %d bytes wait; give source.Buffer more, or a policy that drops rows", rxcql.ErrOverflow, n, bytes))
		}
		select {
		case <-h.room:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// free gives back bytes of rows that no longer wait. A row with more than may wait waits alone, and
// is charged with so many: with more, its page could not come in. The caller holds mu.
func (h *hot[T]) free(bytes int64) {
	gone := h.account.Reservation()
	gone.Take(h.reservation, min(bytes, h.reservation.Bytes()))
	gone.Settle()
}

// wake puts a token into a channel of one, unless there is one.
func wake(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
