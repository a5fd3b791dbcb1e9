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
	"github.com/rxcql/rxcql/rxcqltest"
)

func TestRetryGivesUpAtItsLimit(t *testing.T) {
	for attempts, want := range map[int]int{1: 1, 3: 3, -1: operators.DefaultRetryAttempts} {
		synctest.Test(t, func(t *testing.T) {
			var opts []operators.RetryOption
			if attempts >= 0 {
				opts = append(opts, operators.RetryAttempts(attempts))
			}
			script := rxcqltest.NewScript[int]().Page(1).Fail(errPasses)
			rep, err := run(t, operators.Retry(script.Stream(), opts...))
			require.ErrorIs(t, err, errPasses)
			require.Equal(t, want, script.Runs())
			var given *rxcql.RetryError
			require.ErrorAs(t, err, &given)
			require.Equal(t, want, given.Attempts)
			require.ErrorContains(t, err, "(RetryAttempts)")
			failedIn(t, "Script", err)
			require.EqualValues(t, want-1, rep.Retried)
			require.False(t, rep.Complete)
			require.Zero(t, rep.BytesInFlight)
		})
	}
}

func TestWaitsGrowUpToTheLongestAndAreVaried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var begun []time.Time
		script := rxcqltest.NewScript[int]().Do(func(context.Context) error {
			begun = append(begun, time.Now())
			return nil
		}).Fail(errPasses)
		s := operators.Retry(script.Stream(), operators.RetryAttempts(6), operators.RetryDelay(time.Second, 4*time.Second))
		_, err := run(t, s)
		require.Error(t, err)
		require.Len(t, begun, 6)
		exact := 0
		for i, wait := range []time.Duration{1, 2, 4, 4, 4} {
			wait *= time.Second
			got := begun[i+1].Sub(begun[i])
			require.InDelta(t, wait.Seconds(), got.Seconds(), wait.Seconds()/4+0.001, "wait %d", i+1)
			if got == wait {
				exact++
			}
		}
		require.Less(t, exact, 5)
	})
}

func TestAttemptsCountAnewAfterOneThatWentWellForSoLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			window time.Duration
			want   error
			runs   int
		}{
			"long enough": {time.Hour, nil, 7},
			"too short":   {time.Hour + 1, errPasses, 3},
			"none":        {0, errPasses, 3},
		} {
			// Six attempts fail after an hour, and the seventh does not.
			runs := 0
			script := rxcqltest.NewScript[int]().Page(1).Delay(time.Hour).Do(func(context.Context) error {
				if runs++; runs <= 6 {
					return errPasses
				}
				return nil
			})
			opts := []operators.RetryOption{operators.RetryAttempts(3)}
			if c.window > 0 {
				opts = append(opts, operators.RetryWindow(c.window))
			}
			_, err := run(t, operators.Retry(script.Stream(), opts...))
			require.ErrorIs(t, err, c.want, name)
			require.Equal(t, c.runs, runs, name)
		}
	})
}

func TestTheWaitIsShortAgainAfterTheWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var waits []time.Duration
		runs := 0
		script := rxcqltest.NewScript[int]().Do(func(context.Context) error {
			runs++
			if runs == 4 {
				time.Sleep(time.Hour)
			}
			if runs == 6 {
				return nil
			}
			return errPasses
		})
		heard := rxcql.Hooks{Retry: func(_ context.Context, e rxcql.RetryEvent) { waits = append(waits, e.Wait.Round(time.Second)) }}
		s := operators.Retry(script.Stream(), operators.RetryWindow(time.Minute), operators.RetryDelay(8*time.Second, time.Minute))
		_, err := s.Count(t.Context(), rxcql.WithHooks(heard))
		require.NoError(t, err)
		require.Len(t, waits, 5)
		for i, wait := range []float64{8, 16, 32, 8, 16} {
			require.InDelta(t, wait, waits[i].Seconds(), wait/4+1, "wait %d", i+1)
		}
	})
}

func TestStopEndsAWaitOfRetryAtOnceAndInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		s := operators.Retry(failingAt(count(10, 4), errPasses, 7), operators.RetryDelay(24*time.Hour, 48*time.Hour))
		sink := &gather[int]{}
		p, err := rxcql.New(s, sink)
		require.NoError(t, err)
		time.AfterFunc(time.Hour, p.Stop)
		rep, err := p.Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, time.Hour, time.Since(begun))
		require.Equal(t, rxcql.EndedByStop, rep.EndedBy)
		require.False(t, rep.Complete)
		require.Equal(t, []int{0, 1, 2, 3}, sink.rows())
		require.EqualValues(t, 1, rep.PagesGivenUp, "the page that failed")
		require.Zero(t, rep.Retried)
	})
}

func TestAfterStopNothingIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p *rxcql.Pipeline
		in := operators.Map(count(10, 4), func(n int) (int, error) {
			if n == 6 {
				p.Stop()
				return 0, errPasses
			}
			return n, nil
		})
		p, err := rxcql.New(operators.Retry(in), &gather[int]{})
		require.NoError(t, err)
		_, err = p.Run(t.Context())
		require.ErrorIs(t, err, errPasses, "rows that were read are not written")

		ended := false
		sum := operators.Reduce(operators.Retry(rxcqltest.NewScript[int]().Page(1).FailOnce(errPasses).Delay(24*time.Hour).Stream()), zero, add)
		p, err = rxcql.New(operators.Tap(sum, func(int) error { ended = true; return nil }), &gather[int]{})
		require.NoError(t, err)
		time.AfterFunc(time.Hour, p.Stop)
		rep, err := p.Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, rxcql.EndedByStop, rep.EndedBy)
		require.False(t, ended, "Done says that reading was stopped")
	})
}

func TestACancelEndsAWaitOfRetryWithItsCause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		why, begun := errors.New("why"), time.Now()
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Hour, func() { cancel(why) })
		s := operators.Retry(failingAt(count(10, 4), errPasses, 7), operators.RetryDelay(24*time.Hour, 48*time.Hour))
		rep, err := runIn(ctx, t, s)
		require.ErrorIs(t, err, why)
		require.Equal(t, time.Hour, time.Since(begun))
		require.Zero(t, rep.BytesInFlight)
	})
}

func TestAFailureElsewhereInTheRunEndsAWaitOfRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		waiting := operators.Retry(failingAt(count(10, 4), errPasses, 7), operators.RetryDelay(24*time.Hour, 48*time.Hour))
		broken := rxcqltest.NewScript[int]().Name("Broken").Delay(time.Hour).Fail(errStays)
		_, err := run(t, operators.Merge(waiting, broken.Stream()))
		require.ErrorIs(t, err, errStays)
	})
}
