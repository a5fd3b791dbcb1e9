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
	return failure(failed, err)
}

// failure chooses the error of a stage among those that its goroutines returned: the first that is
// a failure of its own; else the end of the stream on purpose; else the echo of a cancel. A failure
// has left pages unsettled, so it must not be lost if the stream was ended at the same time. What a
// source says that was given up in the middle of a request, because the stream had ended, is none.
func failure(errs ...error) error {
	var end, echo error
	for _, err := range errs {
		var own *rxcql.StageError
		var ended *flow.End
		switch {
		case err == nil:
		case errors.As(err, &own) && !givenUp(err): // also if it wraps a deadline of the user's
			return err
		case errors.As(err, &ended):
			end = ended
		case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
			if before := (*rxcql.StageError)(nil); echo == nil || own != nil && !errors.As(echo, &before) {
				echo = err // one that names its stage is of more use than the bare cancel
			}
		default:
			return err
		}
	}
	return cmp.Or(end, echo)
}

// givenUp reports whether an error of a stage says no more than that the stage was told to end. A
// row that failed, too many of these, and a panic are failures, whatever they wrap: a function of
// the user's may have been given up by a context of its own.
func givenUp(err error) bool {
	var row *rxcql.RowError
	var skipped *rxcql.SkipLimitError
	return (flow.IsEnd(err) || errors.Is(err, context.Canceled)) &&
		!errors.As(err, &row) && !errors.As(err, &skipped) && !errors.Is(err, rxcql.ErrPanic)
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
