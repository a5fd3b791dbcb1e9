package source

import (
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/rx"
	"github.com/rxcql/rxcql/internal/stopping"
)

// smallLimit is the largest limit from downstream (about a page) for which a source reads one part
// after the other, without reading ahead.
const smallLimit = 5000

// reading is one run of a source that reads parts.
type reading[T any] struct {
	parts   []part
	workers int
	reader  func(*rxcql.Stage, buffers[T]) partReader[T]
	ring    func(*rxcql.Stage) *ringProgress // nil unless the source reads token ranges
	given   *ringProgress
	same    func(ctx context.Context) error // checks that what was read is still the same; may be nil
	overlap time.Duration                   // see flow.Parts
	unread  *atomic.Bool                    // some of it could not be read, see Stage.CountUnread; nil if that ends the run
}

// partReader reads parts, one at a time. Each worker has one; it belongs to one goroutine.
type partReader[T any] interface {
	// read reads a part to its last page, from its first or from where an earlier run stopped.
	// Every page goes to send, empty ones included; the last one has Position.Last set. Before
	// every page, limit returns how many rows can still be used, 0 for all.
	read(ctx context.Context, p part, limit func() int64, send func(*fetched[T]) error) error
}

// run reads all parts and delivers their pages to out, one at a time, in the calling goroutine.
// Pages of one part come in order; pages of different parts come as they arrive.
func (r *reading[T]) run(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
	defer st.Input().Done()
	st.CountRanges(len(r.parts))
	st.Parts(ctx, flow.Parts{Count: len(r.parts), Overlap: r.overlap})
	if r.ring != nil {
		r.given = r.ring(st)
	}
	buffers := make(buffers[T], r.workers+2)
	worker := func() partReader[T] { return r.reader(st, buffers) }
	var err error
	if limit := flow.DemandOf(out); limit > 0 && limit <= smallLimit {
		err = r.inTurn(ctx, st, worker(), buffers, out)
	} else {
		err = r.ahead(ctx, st, worker, buffers, out)
	}
	if err == nil && r.same != nil {
		err = st.Fail(r.same(ctx))
	}
	switch {
	case err == nil:
		return out.Done(ctx, r.unread != nil && r.unread.Load())
	case errors.Is(err, stopping.Err):
		return out.Done(ctx, true)
	}
	return err
}

// inTurn reads the parts one after the other. It fetches no page before the one before has been
// used.
func (r *reading[T]) inTurn(ctx context.Context, st *rxcql.Stage, w partReader[T], buffers buffers[T], out flow.Observer[T]) error {
	readCtx, stop := stopping.Context(ctx, st.Run().Stopping())
	defer stop()
	limit := func() int64 { return flow.DemandOf(out) }
	for _, p := range r.parts {
		err := w.read(readCtx, p, limit, func(page *fetched[T]) error { return r.deliver(ctx, st, buffers, out, page) })
		if err != nil {
			return err
		}
	}
	return nil
}

// ahead reads with several workers. Each holds one page that waits to be delivered while it fetches
// the next. Pipeline.Stop ends only the fetching: a page that has arrived is delivered.
func (r *reading[T]) ahead(ctx context.Context, st *rxcql.Stage, worker func() partReader[T], buffers buffers[T], out flow.Observer[T]) error {
	all := func() int64 { return 0 }
	produce := func(ctx context.Context, send func(*fetched[T]) error) error {
		readCtx, stop := stopping.Context(ctx, st.Run().Stopping())
		defer stop()
		group, readCtx := st.TaskGroup(readCtx)
		var next atomic.Int64
		for range min(r.workers, len(r.parts)) {
			w := worker()
			group.Go(func() error {
				for {
					i := int(next.Add(1)) - 1
					if i >= len(r.parts) {
						return nil
					}
					if err := w.read(readCtx, r.parts[i], all, send); err != nil {
						return err
					}
				}
			})
		}
		return group.Wait()
	}
	return rx.Transport(ctx, 0, produce, func(page *fetched[T]) error {
		return r.deliver(ctx, st, buffers, out, page)
	}, func(page *fetched[T]) { page.Release() })
}

// deliver hands a page downstream, takes its slice back, and notes how far the reading is.
func (r *reading[T]) deliver(ctx context.Context, st *rxcql.Stage, buffers buffers[T], out flow.Observer[T], page *fetched[T]) error {
	span, had, last, passed := page.track.Range(), page.had, page.Last, page.passed
	err := flow.Deliver(ctx, page.track, &page.Page, page.received, page.next, reporting(st, out, page.bad))
	if err == nil && passed {
		page.track.PassedRead()
	}
	buffers.put(page.rows)
	if err == nil && r.given != nil {
		r.given.given(span, had, last)
	}
	return err
}
