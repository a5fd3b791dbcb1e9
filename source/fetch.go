package source

import (
	"context"

	"github.com/rxcql/rxcql/internal/driver"
)

// fetch gets a page of so many rows at most, 0 for any number; one that fails is
// asked for again, from the same page state. Nothing of a page that failed has gone
// downstream, so no row does twice.
func (r *paged[T]) fetch(ctx context.Context, p part, state []byte, first bool, most int64) (*driver.Page, error) {
	got, err := r.fetchOnce(ctx, p, state, first, most)
	if err != nil && driver.MayPass(err) {
		return r.retryFetch(ctx, p, state, first, most, err)
	}
	return got, err
}

// retryFetch is apart because of its closure, which would cost every page an
// allocation.
func (r *paged[T]) retryFetch(ctx context.Context, p part, state []byte, first bool, most int64, failed error) (*driver.Page, error) {
	var got *driver.Page
	err := r.stage.Retry(ctx, failed, driver.MayPass, func(int) (err error) {
		got, err = r.fetchOnce(ctx, p, state, first, most)
		return err
	})
	return got, err
}

// fetchOnce makes one attempt, or several where the page is larger than the
// driver takes: each for half as many rows.
func (r *paged[T]) fetchOnce(ctx context.Context, p part, state []byte, first bool, most int64) (*driver.Page, error) {
	for !r.whole {
		rows := r.sizing.rows(first, most)
		r.sizing.asked = rows
		got, err := r.session.Fetch(ctx, p.st, rows, state)
		switch {
		case err == nil:
			return got, nil
		case driver.CannotBePaged(err) && state == nil:
			r.whole = true
		case driver.Classify(err) != driver.FrameTooBig || !r.sizing.tooBig(rows):
			return nil, err
		default:
			r.stage.Retried(err)
		}
	}
	return r.fetchWhole(ctx, p)
}
