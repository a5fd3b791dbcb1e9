package operators

import (
	"context"
	"errors"

	"github.com/rxcql/rxcql"
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
	})
	return failure(failed, err)
}

// failure is what a stage failed with, of errors that its goroutines returned at
// the same time: the first, unless that may only be the end of the stream on
// purpose and another is not its echo. A failure has left pages unsettled, and
// must not be lost in an end.
func failure(first error, others ...error) error {
	for _, err := range others {
		switch {
		case err == nil:
		case first == nil:
			first = err
		case errors.Is(err, first), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		default:
			return err
		}
	}
	return first
}

// across is an observer that lives in another goroutine than what it observes.
type across[T any] struct {
	to   rxcql.Observer[T]
	post poster
	lost func(rows int) // told of rows that were not handed on; may be nil
}

func (a *across[T]) Next(ctx context.Context, p *rxcql.Page[T]) error {
	handed := false
	err := a.post(func() error {
		handed = true
		return a.to.Next(ctx, p)
	})
	if !handed && a.lost != nil {
		a.lost(len(p.Rows))
	}
	return err
}

func (a *across[T]) Done(ctx context.Context, stopped bool) error {
	return a.post(func() error { return a.to.Done(ctx, stopped) })
}

// Limit asks where the rows are counted.
func (a *across[T]) Limit() (limit int64) {
	_ = a.post(func() error { // an error shows with the next page
		limit = rxcql.LimitOf(a.to)
		return nil
	})
	return limit
}
