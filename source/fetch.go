package source

import (
	"context"
	"errors"
	"time"

	"github.com/rxcql/rxcql/internal/driver"
)

// fetch gets a page of at most so many rows, 0 for any number. A page that failed is asked for
// again, from the same page state. Nothing of it has been handed on, so no row is handed on twice.
func (r *paged[T]) fetch(ctx context.Context, p part, page int64, state []byte, most int64) (*driver.Page, error) {
	r.attempt = r.about
	r.attempt.Part, r.attempt.Page = p.name, page
	got, err := r.fetchOnce(ctx, p, state, most)
	if err != nil && driver.MayPass(err) && (!r.hasty || !mayBeCut(err)) {
		return r.retryFetch(ctx, p, state, most, err)
	}
	return got, err
}

// retryFetch is a function of its own because of its closure, which would cost every page an
// allocation.
func (r *paged[T]) retryFetch(ctx context.Context, p part, state []byte, most int64, failed error) (*driver.Page, error) {
	var got *driver.Page
	err := r.stage.Retry(ctx, failed, driver.MayPass, func(int) (err error) {
		got, err = r.fetchOnce(ctx, p, state, most)
		return err
	})
	return got, err
}

// fetchOnce makes one attempt. If the page is larger than the driver takes, the attempt has several
// requests, each for half as many rows as the one before.
func (r *paged[T]) fetchOnce(ctx context.Context, p part, state []byte, most int64) (*driver.Page, error) {
	for !r.whole {
		rows := r.sizing.rows(r.attempt.Page == 0, most)
		r.sizing.asked = rows
		got, err := r.ask(ctx, rows, func(ctx context.Context) (*driver.Page, error) {
			return r.session.Fetch(ctx, p.st, rows, state)
		})
		switch {
		case err == nil:
			return got, nil
		case driver.CannotBePaged(err) && state == nil:
			r.whole = true
		case driver.Classify(err) != driver.FrameTooBig || !r.sizing.tooBig(rows):
			return nil, err
		default:
			r.stage.CountRetry(err)
		}
	}
	return r.ask(ctx, 0, func(ctx context.Context) (*driver.Page, error) { return r.fetchWhole(ctx, p) })
}

// ask requests so many rows, 0 for all, when Throttle lets it, and tells hooks of the fetch. The
// end of a fetch that succeeds is told by decode, when the page's bytes are known.
func (r *paged[T]) ask(ctx context.Context, rows int, fetch func(context.Context) (*driver.Page, error)) (*driver.Page, error) {
	if err := r.rate.AwaitRequest(ctx, r.stage); err != nil {
		return nil, err
	}
	r.attempt.Attempt++
	r.attempt.PageRows = rows
	r.attempt.Duration = 0
	ctx, r.end = r.stage.StartFetch(ctx, r.attempt)
	r.askedAt = time.Now()
	if !r.stage.Hooked() {
		return fetch(ctx)
	}
	got, err := fetch(ctx)
	r.attempt.Duration = time.Since(r.askedAt)
	if err != nil {
		r.answered(nil, err)
	}
	return got, err
}

// errNotDecoded stays if decoding does not return: a function of the user's has panicked in it.
var errNotDecoded = errors.New("the page was not decoded to its end")

// decode gets the rows of an answer, and tells hooks of the end of its request.
func (r *paged[T]) decode(got *driver.Page) (rows []T, bad []undecoded, size int64, err error) {
	err = errNotDecoded
	defer func() { r.answered(got, err) }()
	rows, failed, size, err := r.reader.Read(got, r.buffers.get())
	return rows, undecodedRows(failed), size, err
}

// answered tells hooks how the last request ended.
func (r *paged[T]) answered(got *driver.Page, err error) {
	e := r.attempt
	if got != nil {
		e.Rows, e.Bytes, e.Host = got.Rows(), int64(got.Bytes()), got.Host()
	}
	e.Err = err
	r.end(e)
}
