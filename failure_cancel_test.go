package rxcql_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/source"
)

func TestAWriteThatFailsAfterACancelIsReportedWithTheCause(t *testing.T) {
	why, broken := errors.New("the user has gone"), errors.New("the write timed out")
	both := func(t *testing.T, rep rxcql.Report, err error) {
		require.ErrorIs(t, err, why)
		require.ErrorIs(t, err, broken)
		require.False(t, rep.Complete)
		require.Zero(t, rep.BytesInFlight)
	}
	// failing is a sink that cancels with its first page.
	failing := func(cancel context.CancelCauseFunc) (*memory[int], func(error)) {
		var run *rxcql.Execution
		to := &memory[int]{open: func(_ context.Context, st *rxcql.Stage) error { run = st.Run(); return nil }}
		to.write = func(context.Context, *flow.Page[int]) error { cancel(why); return nil }
		return to, func(err error) { run.Fail(err) }
	}
	alone(t, "at once", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		to, fail := failing(cancel)
		to.write = func(context.Context, *flow.Page[int]) error { cancel(why); fail(broken); return nil }
		rep, err := pipeline(t, source.Seq(endless), to).Run(ctx)
		both(t, rep, err)
	})
	alone(t, "within the grace period, where Close waits for it", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		to, fail := failing(cancel)
		to.close = func() error { time.Sleep(time.Second); fail(broken); return nil }
		rep, err := pipeline(t, source.Seq(endless), to).Run(ctx)
		both(t, rep, err)
	})
	alone(t, "without a cause of its own", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		to, fail := failing(func(error) { cancel() })
		to.close = func() error { fail(broken); return nil }
		_, err := pipeline(t, source.Seq(endless), to).Run(ctx)
		require.ErrorIs(t, err, context.Canceled)
		require.ErrorIs(t, err, broken)
	})
	alone(t, "but once only, where it comes back from Write too", func(t *testing.T) {
		to, fail := failing(func(error) {})
		to.write = func(context.Context, *flow.Page[int]) error { fail(broken); return broken }
		_, err := pipeline(t, source.Seq(endless), to).Run(context.Background())
		require.Equal(t, broken, err)
	})
	alone(t, "and a failure before the cancel is the error alone", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		to, fail := failing(cancel)
		to.write = func(context.Context, *flow.Page[int]) error { fail(broken); cancel(why); return nil }
		_, err := pipeline(t, source.Seq(endless), to).Run(ctx)
		require.Equal(t, broken, err)
	})
}
