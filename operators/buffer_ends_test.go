package operators_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest"
)

func TestWhatWaitsInABufferGoesOnAfterStopAndBeforeAnErrorButNotAfterACancel(t *testing.T) {
	in := func() *rxcqltest.Script[int] { return pagesOf1(5) }
	alone(t, "Stop", func(t *testing.T) {
		probe := rxcqltest.Observe(t, operators.Buffer(in().Delay(time.Hour).Stream(), 10, rxcql.OverflowDropOldest))
		time.Sleep(time.Second)
		probe.Stop()
		probe.ExpectRows(upTo(5)...)
		rep := probe.ExpectEndedBy(rxcql.EndedByStop)
		require.Equal(t, rep.Pages, rep.PagesSettled)
	})
	alone(t, "error", func(t *testing.T) {
		probe := rxcqltest.Observe(t, operators.Buffer(in().Fail(errBoom).Stream(), 10, rxcql.OverflowDropOldest))
		time.Sleep(time.Second)
		probe.ExpectRows(upTo(5)...)
		rep := probe.ExpectError(errBoom)
		require.Zero(t, rep.BytesInFlight)
	})
	alone(t, "cancel", func(t *testing.T) {
		probe := rxcqltest.Observe(t, operators.Buffer(in().Delay(time.Hour).Stream(), 10, rxcql.OverflowBlock))
		time.Sleep(time.Second)
		probe.Cancel()
		rep := probe.ExpectError(context.Canceled)
		require.Zero(t, rep.PagesSettled)
		require.Zero(t, rep.Filtered)
		require.Zero(t, rep.BytesInFlight)
	})
	alone(t, "Take", func(t *testing.T) {
		for _, policy := range []rxcql.Overflow{rxcql.OverflowBlock, rxcql.OverflowDropOldest, rxcql.OverflowDropNewest} {
			slow := operators.Tap(operators.Buffer(count(1000, 7), 10, policy), func(int) error { time.Sleep(time.Second); return nil })
			rep, err := run(t, operators.TakeWhile(slow, func(n int) bool { return n < 3 }))
			require.NoError(t, err)
			require.Equal(t, "TakeWhile", rep.EndedBy)
			st := stagesOf(rep)["Buffer"]
			require.Equal(t, st.In, st.Out+st.Dropped, "%v", rep)
			require.Equal(t, rep.ReadRows, rep.Written+rep.Filtered, "%v", rep)
			require.Equal(t, rep.Pages, rep.PagesSettled)
			require.Zero(t, rep.BytesInFlight)
		}
	})
}

func TestErrOverflowIsNoEndOnPurpose(t *testing.T) {
	_, err := operators.Take(operators.Buffer(count(100, 100), 3, rxcql.OverflowFail), 50).Count(t.Context())
	require.ErrorIs(t, err, rxcql.ErrOverflow)
	require.False(t, errors.Is(err, context.Canceled))
}
