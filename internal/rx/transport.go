// Package rx is the seam to rxgo. Pages cross from the goroutine that makes them to the one that
// works on them through an rxgo Defer, and nowhere else (Transport). Rows that come out of a user's
// Observable are received here (Receiver).
//
// rxgo leaves the following to its user, and this package does it:
//
//   - The channel is always read to its close, so that when Transport returns the producer has
//     returned too.
//   - The context is our own: rxgo's WithContext merges contexts with a goroutine that never ends.
//   - Errors and panics do not go through the channel, so neither is lost when the reader has gone.
package rx

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/reactivex/rxgo/v2"
)

// PanicError is a panic of a producer.
type PanicError struct {
	Value any
	Stack []byte
}

func (e *PanicError) Error() string { return fmt.Sprintf("panic: %v", e.Value) }

// Unwrap returns the value if it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}

// ErrExited: a goroutine left by runtime.Goexit, so it has not done all of its work.
var ErrExited = errors.New("runtime.Goexit was called in a user function")

// Transport runs produce in the goroutine of an rxgo Defer, and receive, for
// every item sent, in the calling one. It returns when both have ended: with
// receive's error, or else produce's. An error of receive cancels produce's
// context, and send then returns it; after an error of produce, receive still
// gets what was sent before. A panic of produce comes back as a *PanicError, one
// of receive goes on once produce has ended.
//
// buffer is the number of items that may wait between the two. drop, which may be
// nil, is called in the calling goroutine with every item that was sent and that
// receive will not get: what it owes must be given back.
func Transport[P any](ctx context.Context, buffer int,
	produce func(ctx context.Context, send func(P) error) error,
	receive func(P) error, drop func(P),
) error {
	if drop == nil {
		drop = func(P) {}
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	var produced error // written before the channel closes, read after
	source := rxgo.Defer([]rxgo.Producer{func(_ context.Context, ch chan<- rxgo.Item) {
		produced = ErrExited
		defer func() {
			if r := recover(); r != nil {
				produced = &PanicError{Value: r, Stack: debug.Stack()}
			}
		}()
		produced = produce(ctx, func(p P) error {
			select {
			case ch <- rxgo.Of(p):
				return nil
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		})
	}})

	var received error
	items := source.Observe(rxgo.WithBufferedChannel(buffer))
	func() {
		// If receive leaves by a panic or runtime.Goexit the producer is still
		// waited for.
		done := false
		defer func() {
			if !done {
				cancel(context.Canceled)
				for item := range items {
					page, _ := item.V.(P)
					drop(page)
				}
			}
		}()
		for item := range items {
			page, _ := item.V.(P) // only a nil of an interface type is not one
			if received != nil {
				drop(page)
				continue
			}
			if received = receive(page); received != nil {
				cancel(received)
			}
		}
		done = true
	}()
	if received != nil {
		return received
	}
	return produced
}
