package flow

import "context"

// Deliver hands the next page of a part on, for sources: it counts the page,
// gives it its receipt, calls out.Next, and ends the page's reservation. Received are
// its column bytes. Next is where the source goes on after it; after the last page
// (Position.Last) it is looked at only if the source may grow (rxcql.Identity.Grows). It
// returns the error of out.Next; rxcql.ErrNotResumable where the source has not called
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
	if t.job != nil {
		if err := t.job.Deliver(ctx); err != nil {
			p.Finish(err)
			return err
		}
		defer t.job.Delivered()
	}
	p.tokens = &t.from.Range
	p.AddReceipt(t.page(len(p.Rows), next, last))
	t.source.CountPage(len(p.Rows), received)
	err := out.Next(ctx, p)
	p.Finish(err)
	if err == nil && last {
		t.source.CountRangeDone()
	}
	return err
}
