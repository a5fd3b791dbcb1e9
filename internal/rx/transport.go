// Package rx is the seam to rxgo: pages cross from the goroutine that makes
// them to the one that works on them through an rxgo Defer, and nowhere else.
//
// What rxgo leaves to its user is settled here: the channel is always read to
// its close, so that when Transport returns the producer has returned too; the
// context is our own (rxgo's WithContext merges contexts with a goroutine that
// is never ended); errors and panics travel beside the channel, so that neither
// is lost when the reader has gone.
package rx

import (
	"context"
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

// Transport runs produce in the goroutine of an rxgo Defer, and receive, for
// every item sent, in the calling one. It returns when both have ended: with
// receive's error, or else produce's. An error of either cancels the other;
// send then returns it.
//
// buffer is the number of items that may wait between the two.
func Transport[P any](ctx context.Context, buffer int,
	produce func(ctx context.Context, send func(P) error) error,
	receive func(P) error,
) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)

	var produced error // written before the channel closes, read after
	source := rxgo.Defer([]rxgo.Producer{func(_ context.Context, ch chan<- rxgo.Item) {
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
				for range items {
				}
			}
		}()
		for item := range items {
			if received != nil {
				continue
			}
			if received = receive(item.V.(P)); received != nil {
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
