package operators

import (
	"context"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/stopping"
)

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
	ctx, unwatch := stopping.Context(ctx, st.Run().Stopping())
	ctx, cancel := context.WithCancelCause(ctx)
	run := st.Run().Context()
	untie := context.AfterFunc(run, func() { cancel(context.Cause(run)) })
	return ctx, func() {
		untie()
		cancel(nil)
		unwatch()
	}
}
