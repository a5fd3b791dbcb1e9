package diff_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/transfer"
)

// killedAfterSaves returns a context that ends with cause when a step has saved how far it is, and
// options that make rows so slow that there is a save on the way. The first saves of a step are
// made before anything is read.
func killedAfterSaves(t *testing.T, cause error) (ctx context.Context, opts []transfer.RepairOption, over func()) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	var saves atomic.Int64
	hooks := rxcql.WithHooks(rxcql.Hooks{
		RunStart: func(ctx context.Context, _ rxcql.RunEvent) context.Context {
			saves.Store(0)
			return ctx
		},
		SaveEnd: func(context.Context, rxcql.SaveEvent) {
			if saves.Add(1) >= 3 {
				cancel(cause)
			}
		},
	})
	rate := rxcql.NewRate(rxcql.RowsPerSecond(300), rxcql.RateBurst(100*time.Millisecond))
	return ctx, []transfer.RepairOption{transfer.WithRun(hooks), transfer.WithRate(rate)}, func() { cancel(nil) }
}
