package rxcql_test

import (
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
)

func TestAFailureIsNotTakenForABudgetThatIsHeld(t *testing.T) {
	alone(t, "of a stream beside one that waits", func(t *testing.T) {
		fails := rxcql.NewStream(rxcql.StageInfo{Name: "Fails", Source: true}, func(context.Context, *rxcql.Stage, flow.Observer[[]byte]) error {
			time.Sleep(time.Hour)
			return errTest
		})
		_, err := gate(operators.Merge(heavyOf(10, 200_000), fails)).Count(context.Background(), rxcql.WithBudget(128*kib))
		require.ErrorIs(t, err, errTest)
		require.NotErrorIs(t, err, flow.ErrBudgetHeld)
	})
	alone(t, "before those who wait can know of it", func(t *testing.T) {
		require.ErrorIs(t, failsWhileAnotherWaits(t, func() error { return errTest }), errTest)
	})
	alone(t, "nor is an exit", func(t *testing.T) {
		err := failsWhileAnotherWaits(t, func() error { runtime.Goexit(); return nil })
		require.ErrorContains(t, err, "Goexit")
	})
}

// failsWhileAnotherWaits reads a source that fails in a while and one that holds all of the
// budget, waits for more, and does not obey its context.
func failsWhileAnotherWaits(t *testing.T, fail func() error) error {
	t.Helper()
	held := make(chan struct{})
	var told error
	waits := rxcql.NewStream(rxcql.StageInfo{Name: "Waits", Source: true}, func(ctx context.Context, st *rxcql.Stage, _ flow.Observer[int]) error {
		all, err := st.Input().Reserve(ctx, 1)
		if err != nil {
			return err
		}
		all.Resize(st.Run().Budget())
		kept := st.Account(false).Reservation()
		kept.Take(all, all.Bytes())
		all.Settle()
		context.AfterFunc(ctx, kept.Settle)
		close(held)
		l, err := st.Input().Reserve(context.WithoutCancel(ctx), 1)
		if told = err; err == nil {
			l.Release()
			err = context.Cause(ctx)
		}
		return err
	})
	fails := rxcql.NewStream(rxcql.StageInfo{Name: "Fails", Source: true}, func(context.Context, *rxcql.Stage, flow.Observer[int]) error {
		<-held
		time.Sleep(time.Hour)
		return fail()
	})
	_, err := operators.Merge(waits, fails).Count(context.Background(), rxcql.WithBudget(128*kib))
	require.NoError(t, told)
	return err
}
