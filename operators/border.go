package operators

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/rx"
)

// errGone: the goroutine that reads the stream has left it by a panic or runtime.Goexit.
var errGone = errors.New("the reader of the stream has gone")

// poster has a function called in the goroutine that subscribed, and returns its error. After the
// first error it calls nothing more and returns that error.
type poster func(fn func() error) error

type post struct {
	fn     func() error
	result chan error
}

// border runs produce in another goroutine. It calls, in its own goroutine, what is posted by
// produce and by the goroutines that produce has started. So rows are handed on one page at a time
// in the goroutine that reads the stream, whichever goroutine makes them. border returns when
// produce has returned: with the error of a posted function, or else the error of produce.
func border(ctx context.Context, produce func(ctx context.Context, post poster) error) error {
	var failed error
	gone := make(chan struct{})
	err := rx.Transport(ctx, 0, func(ctx context.Context, send func(post) error) error {
		return produce(ctx, func(fn func() error) error {
			p := post{fn: fn, result: make(chan error, 1)}
			if err := send(p); err != nil {
				return err
			}
			// Do not wait for ctx: fn may be at work on the caller's page.
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
	return rxcql.FirstFailure(failed, err)
}

// across is an observer whose observed stream runs in another goroutine.
type across[T any] struct {
	to    flow.Observer[T]
	post  poster
	lost  func(rows int) // called with the number of rows dropped when the stream ends on purpose; may be nil
	limit *atomic.Int64  // the limit of to, as of its last call
}

func (a *across[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	handed := false
	err := a.post(func() error {
		handed = true
		err := a.to.Next(ctx, p)
		if err == nil { // else nothing more is wanted, which is not the same as no limit
			a.limit.Store(flow.DemandOf(a.to))
		}
		return err
	})
	if !handed && a.lost != nil && flow.IsEnd(err) { // otherwise they are not dropped on purpose
		a.lost(len(p.Rows))
	}
	return err
}

func (a *across[T]) Done(ctx context.Context, stopped bool) error {
	return a.post(func() error { return a.to.Done(ctx, stopped) })
}

// Demand does not ask to, which may be at work in another goroutine.
func (a *across[T]) Demand() int64 { return a.limit.Load() }

// limitFor returns the limit of an observer before its first page.
func limitFor[T any](to flow.Observer[T]) *atomic.Int64 {
	limit := new(atomic.Int64)
	limit.Store(flow.DemandOf(to))
	return limit
}
