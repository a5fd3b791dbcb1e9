package operators

import (
	"cmp"
	"context"
	"errors"
	"sync/atomic"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/rx"
)

// errGone: the goroutine that reads the stream has left it by a panic or
// runtime.Goexit.
var errGone = errors.New("the reader of the stream has gone")

// poster has a function called in the goroutine that subscribed and returns its
// error. After the first error it calls nothing more and returns that one.
type poster func(fn func() error) error

type post struct {
	fn     func() error
	result chan error
}

// border runs produce in another goroutine, and in the calling one what produce,
// and goroutines that it has started, post. That keeps the promise that rows are
// handed on one page at a time in the goroutine that reads the stream, whoever
// makes them. It returns when produce has returned: with the error of what was
// posted, or else produce's.
func border(ctx context.Context, produce func(ctx context.Context, post poster) error) error {
	var failed error
	gone := make(chan struct{})
	err := rx.Transport(ctx, 0, func(ctx context.Context, send func(post) error) error {
		return produce(ctx, func(fn func() error) error {
			p := post{fn: fn, result: make(chan error, 1)}
			if err := send(p); err != nil {
				return err
			}
			// No waiting for ctx: fn may be at work on the caller's page.
			select {
			case err := <-p.result:
				return err
			case <-gone:
				return errGone
			}
		})
	}, func(p post) error {
		returned := false
		defer func() {
			if !returned {
				close(gone)
			}
		}()
		if failed == nil {
			failed = p.fn()
		}
		returned = true
		p.result <- failed
		return nil
	}, nil)
	return failure(failed, err)
}

// failure is which of the errors that the goroutines of a stage returned counts:
// the first that is a failure of its own; or else the end of the stream on
// purpose; or else the echo of a cancel. A failure has left pages unsettled and
// must not be lost in an end that came at the same time.
func failure(errs ...error) error {
	var end, echo error
	for _, err := range errs {
		var own *rxcql.StageError
		switch {
		case err == nil:
		case errors.As(err, &own): // also one that wraps a deadline of the user's
			return err
		case flow.IsEnd(err):
			end = err
		case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
			echo = cmp.Or(echo, err)
		default:
			return err
		}
	}
	return cmp.Or(end, echo)
}

// across is an observer that lives in another goroutine than what observes it.
type across[T any] struct {
	to    flow.Observer[T]
	post  poster
	lost  func(rows int) // told of rows that were dropped at an end on purpose; may be nil
	limit *atomic.Int64  // that of to, when it was last called
}

func (a *across[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	handed := false
	err := a.post(func() error {
		handed = true
		err := a.to.Next(ctx, p)
		a.limit.Store(flow.DemandOf(a.to))
		return err
	})
	if !handed && a.lost != nil && flow.IsEnd(err) { // else they are not dropped on purpose
		a.lost(len(p.Rows))
	}
	return err
}

func (a *across[T]) Done(ctx context.Context, stopped bool) error {
	return a.post(func() error { return a.to.Done(ctx, stopped) })
}

// Demand does not ask to, which may be at work.
func (a *across[T]) Demand() int64 { return a.limit.Load() }

// limitFor is the limit of an observer before its first page.
func limitFor[T any](to flow.Observer[T]) *atomic.Int64 {
	limit := new(atomic.Int64)
	limit.Store(flow.DemandOf(to))
	return limit
}
