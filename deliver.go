package rxcql

import "context"

// Deliver hands the next page of a part on, for sources: it counts the page,
// gives it its receipt, calls out.Next, and ends the page's lease. Received are
// its column bytes. Next is where the source goes on after it; after the last page
// (Position.Last) it is looked at only if the source may grow (Identity.Grows). It
// returns the error of out.Next; ErrNotResumable where the source has not called
// Stage.Resume, and must have.
//
// It is here that a page counts as read: pages that were fetched ahead when the
// stream ended are none of its business any more.
func Deliver[T any](ctx context.Context, t *Track, p *Page[T], received int64, next []byte, out Observer[T]) error {
	if t.err != nil {
		p.Finish(t.err)
		return t.err
	}
	last := p.Last
	if t.job != nil && t.job.needsBarrier {
		// A save may hold it and wait for a page that failed meanwhile, so ctx counts.
		if t.job.barrier.Acquire(ctx, 1) != nil {
			err := context.Cause(ctx)
			p.Finish(err)
			return err
		}
		defer t.job.barrier.Release(1)
	}
	p.tokens = &t.span
	p.Owe(t.page(len(p.Rows), next, last))
	t.st.PageRead(len(p.Rows), received)
	err := out.Next(ctx, p)
	p.Finish(err)
	if err == nil && last {
		t.st.RangeDone()
	}
	return err
}
