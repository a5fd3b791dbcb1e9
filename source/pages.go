package source

import (
	"cmp"
	"context"
	"errors"
	"io"
	"sync/atomic"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// Pages is a source of your own: next returns the rows of the next page each time that it
// is called, and io.EOF when there are no more.
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
//   - Rows without an error are a page. No rows are a page too, an empty one, after which
//     next is called again: only io.EOF ends the stream.
//   - io.EOF is the end. Rows that come with it are the last page. An error that wraps
//     io.EOF is an error like others, because HTTP clients return one when a connection is
//     lost. So wrap an io.EOF that is not your end, such as that of a JSON decoder.
//   - Another error without rows ends the stream, unless it may pass (rxcql.MayPass): then
//     next is called again, after the waits and up to the limit of rxcql.WithRetry. That
//     call is to give the same page, so go on to the next page only when you have a whole one.
//   - Another error with rows ends the stream when the rows have been handed on. next is not
//     called again, since nobody can tell whether it would give these rows twice.
//
// An error is a rxcql.StageError of stage Pages around your own, and so is a panic.
//
// next is called by one goroutine, the one that reads the stream, and only when the page
// before has been handed on. So a sink that does not accept stops the calls, and Take ends
// them. ctx ends with the run, and with Pipeline.Stop, after which an error of ctx is none,
// and rows that next returns are still written. A next that does not obey ctx cannot be
// interrupted.
//
// Rows go on in order, in pages as next gives them. Before a call as many bytes are
// reserved in the budget (rxcql.WithBudget) as the page before had. After it a page counts
// with what its rows weigh (rxcql.SizeFunc): it may be larger than the budget, so keep pages
// to a few thousand rows. next may use its slice again for the next page, but not what the
// rows in it refer to, which sinks and operators may still hold.
//
// The stream can be run once, because a function that is in the midst of its pages cannot
// begin again. A second run is refused with rxcql.ErrSingleRun: make the stream anew for
// each. For the same reason it cannot be part of a job with a checkpoint; SeqFrom can.
func Pages[T any](next func(ctx context.Context) ([]T, error)) rxcql.Stream[T] {
	info := rxcql.StageInfo{
		Name: "Pages", Source: true, NotResumable: true,
		NotResumableReason: "its function cannot be told where to go on; use source.SeqFrom, whose function gets the number of rows to leave out",
	}
	if next == nil {
		info.Err = errors.New("the function is nil")
	}
	var ran atomic.Bool
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
		defer st.Input().Done()
		if ran.Swap(true) {
			return st.Fail(rxcql.ErrSingleRun)
		}
		b := newPaging(st, out, 0, nil)
		b.bytes = st.Input().PageBytes() // the guess at the first page
		defer b.drop()
		err := b.pages(ctx, &asking[T]{next: next, st: st})
		switch {
		case err == nil:
			return out.Done(ctx, false)
		case errors.Is(err, errStopped):
			return out.Done(ctx, true)
		}
		return err
	})
}

// pages hands on all pages that a function gives.
func (b *paging[T]) pages(ctx context.Context, a *asking[T]) error {
	readCtx, stop := stoppable(ctx, b.st.Run().Stopping())
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

	rows []T  // of the page that it gave
	last bool // there are no more
}

// ask asks for the next page, again where that may help. The error is the stage's, or why
// ctx has ended if that is all.
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
