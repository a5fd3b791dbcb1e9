package source

import (
	"cmp"
	"context"
	"errors"
	"io"
	"sync/atomic"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/stopping"
)

// Pages makes a stream from a function of yours: next returns the rows of the next page each time
// it is called, and io.EOF when there are no more.
//
//	token := ""
//	users := source.Pages(func(ctx context.Context) ([]User, error) {
//		page, err := client.Users(ctx, token)
//		if err != nil {
//			return nil, err
//		}
//		if token = page.Next; token == "" {
//			err = io.EOF // this page is the last one
//		}
//		return page.Users, err
//	})
//
// What next may return:
//
//   - Rows without an error are a page. No rows are a page too, an empty one, after which next is
//     called again: only io.EOF ends the stream.
//   - io.EOF is the end. Rows that come with it are the last page. An error that wraps io.EOF is an
//     error like others, because HTTP clients return one when a connection is lost. So wrap an
//     io.EOF that is not your end, such as that of a JSON decoder.
//   - Another error without rows ends the stream, unless it may pass (rxcql.MayPass). Then next is
//     called again, after the waits and up to the limit of rxcql.WithRetry. That call must return
//     the same page, so move on to the next page only when you have a whole one.
//   - Another error with rows ends the stream after the rows have been handed on. next is not
//     called again, since it might return these rows twice.
//
// Errors and panics of next come back as a rxcql.StageError of stage Pages around them.
//
// next is called by the goroutine that reads the stream, and only when the page before has been
// handed on. So a sink that does not accept rows stops the calls, and Take ends them. ctx ends with
// the run and with Pipeline.Stop. After Stop, an error that comes from ctx is ignored, and rows
// that next returns are still written. A next that does not obey ctx cannot be interrupted.
//
// Rows go on in order, in the pages that next returns. Before a call, as many bytes are reserved in
// the budget (rxcql.WithBudget) as the page before took. After it, the page counts with the memory
// that its rows take (rxcql.SizeFunc). A page may be larger than the budget, so keep pages to a few
// thousand rows. next may use its slice again for the next page, but not what the rows in it refer
// to, which sinks and operators may still hold.
//
// The stream can be run once, because a function in the middle of its pages cannot begin again. A
// second run fails with rxcql.ErrSingleRun: make a new stream for each run. For the same reason it
// cannot be part of a job with a checkpoint; SeqFrom can.
func Pages[T any](next func(ctx context.Context) ([]T, error)) rxcql.Stream[T] {
	info := rxcql.StageInfo{
		Name: "Pages", Source: true, NotResumable: true,
		NotResumableReason: "its function cannot be told where to go on; use source.SeqFrom, whose function gets the number of rows to leave out",
	}
	info.ReadOnce, info.ReadOnceReason = true, "its function is in the middle of its pages; have it return errors that may pass, which it is called again for "+
		"(rxcql.MayPass, rxcql.WithRetry), or use source.SeqFrom"
	if next == nil {
		info.Err = errors.New("the function is nil")
	}
	var ran atomic.Bool
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
		defer st.Input().Done()
		if ran.Swap(true) {
			return st.Fail(rxcql.ErrSingleRun)
		}
		b := newPaging(ctx, st, out, 0, nil)
		b.bytes = st.Input().PageBytes() // a guess for the first page
		defer b.drop()
		err := b.pages(ctx, &asking[T]{next: next, st: st})
		switch {
		case err == nil:
			return out.Done(ctx, false)
		case errors.Is(err, stopping.Err):
			return out.Done(ctx, true)
		}
		return err
	})
}

// pages hands on all pages that a function returns.
func (b *paging[T]) pages(ctx context.Context, a *asking[T]) error {
	readCtx, stop := stopping.Context(ctx, b.st.Run().Stopping())
	defer stop()
	for !b.last {
		if err := b.interrupted(ctx); err != nil {
			return err
		}
		if err := b.begin(ctx); err != nil {
			return err
		}
		err := a.ask(readCtx)
		switch {
		case err != nil && len(a.rows) == 0:
			return err
		case ctx.Err() != nil:
			return cmp.Or(err, context.Cause(ctx))
		}
		for i := range a.rows {
			b.bytes += int64(b.size(&a.rows[i]))
		}
		b.last = a.last
		if failed := b.handOn(ctx, a.rows); failed != nil {
			return failed
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// asking asks a function for pages.
type asking[T any] struct {
	next func(context.Context) ([]T, error)
	st   *rxcql.Stage

	rows []T  // of the page that it returned
	last bool // there are no more
}

// ask asks for the next page, and again if the failure may pass. The error is the stage's, or the
// cause of ctx if that is the only reason.
func (a *asking[T]) ask(ctx context.Context) error {
	err := a.once(ctx)
	if err != nil && a.mayPass(err) {
		err = a.st.RetryUserFunc(ctx, err, a.mayPass, func(int) error { return a.once(ctx) })
	}
	if err != nil && ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx))) {
		return context.Cause(ctx)
	}
	return a.st.FailUserFunc(err, nil)
}

func (a *asking[T]) once(ctx context.Context) (err error) {
	a.rows, err = a.next(ctx)
	if err == io.EOF { //nolint:errorlint // an error that wraps io.EOF is a lost connection
		a.last, err = true, nil
	}
	return err
}

func (a *asking[T]) mayPass(err error) bool { return len(a.rows) == 0 && rxcql.MayPass(err) }
