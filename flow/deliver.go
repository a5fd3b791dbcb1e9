package flow

import "context"

// Deliver hands on the next page of a part, for sources. It counts the page, gives it its receipt,
// calls out.Next, and ends the page's reservation (Reservation.Finish). received are the page's
// column bytes. next is the state from which the source goes on after the page. After the last page
// (Position.Last) next counts only if the source may grow (rxcql.Identity.Grows).
//
// It returns the error of out.Next, the cause of ctx, or rxcql.ErrNotResumable if the source should
// have called Stage.Resume and has not.
//
// A page counts as read when it is delivered. A page that was fetched ahead when the stream ended
// does not count.
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
	if torn := p.Torn(); torn == nil {
		p.about = &t.about
	} else {
		p.about = &about{tokens: t.about.tokens, torn: torn}
	}
	p.AddReceipt(t.page(len(p.Rows), received, next, last))
	t.source.CountPage(len(p.Rows), received)
	err := send(ctx, p, out)
	if err == nil && last {
		t.source.CountRangeDone()
	}
	return err
}

// send hands a page on and ends its reservation, also if Next does not return.
func send[T any](ctx context.Context, p *Page[T], out Observer[T]) error {
	result := errLeft
	defer func() { p.Finish(result) }()
	result = out.Next(ctx, p)
	return result
}
