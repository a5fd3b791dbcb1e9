package operators_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

var errBoom = errors.New("boom")

// bothOrders are the options of MapConcurrent, by name.
var bothOrders = map[string][]operators.MapConcurrentOption{"ordered": nil, "unordered": {operators.Unordered()}}

// alone runs a test in a bubble of its own, where time passes only while
// everything waits.
func alone(t *testing.T, name string, fn func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, fn) })
}

// endedBy requires that a run was ended on purpose and that the rows given up
// by a stage count as dropped, so many.
func endedBy(t *testing.T, rep rxcql.Report, err error, stage string, dropped int) {
	t.Helper()
	require.NoError(t, err)
	require.Equal(t, "TakeWhile", rep.EndedBy)
	st := stagesOf(rep)[stage]
	require.Equal(t, st.In, st.Out+st.Dropped, "%v", rep)
	require.EqualValues(t, dropped, st.Dropped, "%v", rep)
	require.Equal(t, rep.ReadRows, rep.Written+rep.Filtered, "%v", rep)
	require.Equal(t, rep.Pages, rep.PagesSettled)
	require.Zero(t, rep.BytesInFlight)
}

// lostBy requires that a run failed with want, and that rows that a stage lost
// by it do not count as dropped.
func lostBy(t *testing.T, rep rxcql.Report, err, want error, stage string) {
	t.Helper()
	require.ErrorIs(t, err, want)
	require.Empty(t, rep.EndedBy)
	st := stagesOf(rep)[stage]
	require.Greater(t, st.In, st.Out, "%v", rep)
	require.Zero(t, st.Dropped, "%v", rep)
	require.Zero(t, rep.Filtered, "%v", rep)
	require.Zero(t, rep.BytesInFlight)
}

func TestRowsInMapConcurrentCountAsDroppedOnlyAtAnEndOnPurpose(t *testing.T) {
	for name, opts := range bothOrders {
		// Row 0 goes on; the other calls wait for what comes.
		waiting := func(first error) rxcql.Stream[int] {
			return operators.MapConcurrent(count(100, 100), 10, func(ctx context.Context, n int) (int, error) {
				switch n {
				case 0:
					return n, nil
				case 1:
					time.Sleep(time.Second)
					if first != nil {
						return 0, first
					}
				}
				<-ctx.Done()
				return 0, ctx.Err()
			}, opts...)
		}
		alone(t, name+", ended downstream", func(t *testing.T) {
			rep, err := run(t, operators.TakeWhile(waiting(nil), func(int) bool { time.Sleep(time.Minute); return false }))
			endedBy(t, rep, err, "MapConcurrent", 99)
		})
		alone(t, name+", failing itself", func(t *testing.T) {
			rep, err := run(t, waiting(errBoom))
			lostBy(t, rep, err, errBoom, "MapConcurrent")
		})
		alone(t, name+", failing downstream", func(t *testing.T) {
			rep, err := run(t, operators.Tap(waiting(nil), func(int) error { time.Sleep(time.Minute); return errBoom }))
			lostBy(t, rep, err, errBoom, "MapConcurrent")
		})
		alone(t, name+", cancelled", func(t *testing.T) {
			ctx, cancel := context.WithTimeoutCause(context.Background(), time.Minute, errBoom)
			defer cancel()
			rep, err := runIn(ctx, t, waiting(nil))
			lostBy(t, rep, err, errBoom, "MapConcurrent")
		})
	}
}

func TestAPageThatMergeNeverHandedOnCountsAsDroppedOnlyAtAnEndOnPurpose(t *testing.T) {
	// One page each: one is being handed on while the other one waits.
	both := func() rxcql.Stream[int] { return operators.Merge(count(10, 10), count(10, 10)) }
	alone(t, "ended downstream", func(t *testing.T) {
		rep, err := run(t, operators.TakeWhile(both(), func(int) bool { synctest.Wait(); return false }))
		endedBy(t, rep, err, "Merge", 10)
	})
	alone(t, "failing downstream", func(t *testing.T) {
		rep, err := run(t, operators.Tap(both(), func(int) error { synctest.Wait(); return errBoom }))
		lostBy(t, rep, err, errBoom, "Merge")
		require.EqualValues(t, 20, stagesOf(rep)["Merge"].In)
	})
	alone(t, "cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		defer cancel(nil)
		rep, err := runIn(ctx, t, operators.Tap(both(), func(n int) error {
			if n == 0 {
				synctest.Wait()
				cancel(errBoom)
				synctest.Wait() // the input that waited has gone
			}
			return nil
		}))
		lostBy(t, rep, err, errBoom, "Merge")
		require.EqualValues(t, 20, stagesOf(rep)["Merge"].In)
	})
}

// behindMap puts calls behind a Map of two pages of 200 rows: the first flows
// through, and the function sleeps at a row in the middle of the second, as it
// does in inside.
func behindMap(inside chan<- struct{}, mapped *int, call func(context.Context, int) (int, error), opts ...operators.MapConcurrentOption) rxcql.Stream[int] {
	slow := operators.Map(count(400, 200), func(n int) (int, error) {
		if *mapped++; n == 300 {
			close(inside)
			time.Sleep(time.Minute)
		}
		return n, nil
	})
	return operators.MapConcurrent(slow, 200, call, opts...)
}

func TestAPageThatMapIsInsideOfCountsAsDroppedOnlyAtAnEndOnPurpose(t *testing.T) {
	const seen = 300 + 64 // the rows until Map looks again, at most
	for name, opts := range bothOrders {
		alone(t, name+", ended downstream", func(t *testing.T) {
			inside, mapped := make(chan struct{}), 0
			rep, err := run(t, operators.TakeWhile(behindMap(inside, &mapped, ctxSame, opts...), func(int) bool {
				<-inside
				return false
			}))
			endedBy(t, rep, err, "Map", 200)
			require.LessOrEqual(t, mapped, seen)
		})
		alone(t, name+", failing downstream", func(t *testing.T) {
			inside, mapped := make(chan struct{}), 0
			rep, err := run(t, operators.Tap(behindMap(inside, &mapped, ctxSame, opts...), func(int) error {
				<-inside
				return errBoom
			}))
			lostBy(t, rep, err, errBoom, "Map")
			require.LessOrEqual(t, mapped, seen)
		})
		alone(t, name+", failing in a call", func(t *testing.T) {
			inside, mapped := make(chan struct{}), 0
			rep, err := run(t, behindMap(inside, &mapped, func(context.Context, int) (int, error) {
				<-inside
				return 0, errBoom
			}, opts...))
			lostBy(t, rep, err, errBoom, "Map")
			require.LessOrEqual(t, mapped, seen)
		})
	}
}
