package operators

import (
	"context"
	"errors"
	"sync"

	"github.com/rxcql/rxcql"
)

// errStopped is the cause of a wait that Pipeline.Stop has ended.
var errStopped = errors.New("the run is being stopped")

// isStopping reports whether Pipeline.Stop was called.
func isStopping(st *rxcql.Stage) bool {
	select {
	case <-st.Run().Stopping():
		return true
	default:
		return false
	}
}

// untilStop returns a context for waits: it ends with ctx, with the run, and with Pipeline.Stop.
// You must call end.
func untilStop(ctx context.Context, st *rxcql.Stage) (_ context.Context, end func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	run := st.Run().Context()
	untie := context.AfterFunc(run, func() { cancel(context.Cause(run)) })
	over := make(chan struct{})
	var watch sync.WaitGroup // not a TaskGroup, whose goroutines count as able to begin a source
	watch.Go(func() {
		select {
		case <-st.Run().Stopping():
			cancel(errStopped)
		case <-over:
		}
	})
	return ctx, func() {
		untie()
		close(over)
		watch.Wait()
		cancel(nil)
	}
}
