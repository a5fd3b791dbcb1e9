// Package stopping has contexts that end when a run is to stop.
package stopping

import (
	"context"
	"errors"
	"sync"
)

// Err is the cause of a context that has ended because the run is being stopped.
var Err = errors.New("the run is being stopped")

// Context returns a context that also ends when stopping is closed (rxcql.Execution.Stopping), with
// Err as its cause. You must call end: it waits until no goroutine is left.
func Context(ctx context.Context, stopping <-chan struct{}) (_ context.Context, end func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	over := make(chan struct{})
	var watch sync.WaitGroup // not a TaskGroup, whose goroutines count as able to begin a source
	watch.Go(func() {
		select {
		case <-stopping:
			cancel(Err)
		case <-over:
		}
	})
	return ctx, func() {
		close(over)
		watch.Wait()
		cancel(nil)
	}
}
