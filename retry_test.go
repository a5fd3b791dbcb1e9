package rxcql_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

var errPasses = errors.New("passes")

func passes(err error) bool { return errors.Is(err, errPasses) }

// retrying runs fn with a stage of a sink and the context that Sink.Open gets.
func retrying(ctx context.Context, t *testing.T, fn func(ctx context.Context, st *rxcql.Stage) error, opts ...rxcql.Option) (rxcql.Report, error) {
	t.Helper()
	return pipeline(t, seq(1), &memory[int]{open: fn}, opts...).Run(ctx)
}

func TestARetryWaitsLongerEachTimeUpToFiveSeconds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var waits []time.Duration
		var numbers []int
		before := time.Now()
		c := &tally{}
		rep, err := retrying(t.Context(), t, func(ctx context.Context, st *rxcql.Stage) error {
			return st.Retry(ctx, errPasses, passes, func(n int) error {
				waits, numbers = append(waits, time.Since(before)), append(numbers, n)
				before = time.Now()
				if n == 12 {
					return nil
				}
				return errPasses
			})
		}, rxcql.WithRetry(time.Hour, 0), rxcql.WithHooks(c.hooks()))
		require.NoError(t, err)
		require.Equal(t, upTo(13)[1:], numbers)
		want, even := 50*time.Millisecond, true
		for i, wait := range waits {
			require.InDelta(t, want, wait, float64(want)/4+1, "wait %d", i)
			even = even && wait == want
			want = min(2*want, 5*time.Second)
		}
		require.False(t, even, "no jitter")
		require.EqualValues(t, 12, rep.Retried)
		require.True(t, c.stages["Memory"])
	})
}

func TestARetryEndsWithItsTime(t *testing.T) {
	for name, each := range map[string]struct {
		opts  []rxcql.Option
		total time.Duration
	}{
		"a minute unless told otherwise": {nil, time.Minute},
		"another":                        {[]rxcql.Option{rxcql.WithRetry(3*time.Second, 0)}, 3 * time.Second},
	} {
		alone(t, name, func(t *testing.T) {
			start, last, calls := time.Now(), time.Duration(0), 0
			rep, err := retrying(t.Context(), t, func(ctx context.Context, st *rxcql.Stage) error {
				return st.Retry(ctx, errPasses, passes, func(int) error {
					last = time.Since(start)
					calls++
					return errPasses
				})
			}, each.opts...)
			require.ErrorIs(t, err, errPasses)
			var given *rxcql.RetryError
			require.ErrorAs(t, err, &given)
			require.Equal(t, calls+1, given.Attempts)
			require.Equal(t, each.total, given.Duration)
			require.Equal(t, each.total, last, "the last attempt")
			require.ErrorContains(t, err, "attempts in "+each.total.String())
			require.EqualValues(t, calls, rep.Retried)
		})
	}
}

func TestARetryEndsWithItsAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		_, err := retrying(t.Context(), t, func(ctx context.Context, st *rxcql.Stage) error {
			return st.Retry(ctx, errPasses, passes, func(int) error {
				calls++
				return errPasses
			})
		}, rxcql.WithRetry(time.Hour, 4))
		require.ErrorContains(t, err, "after 4 attempts")
		require.Equal(t, 3, calls)
	})
}

func TestWhatMayNotBeRepeatedIsReturnedAsItIs(t *testing.T) {
	for name, each := range map[string]struct {
		first, second error
		opts          []rxcql.Option
		calls         int
	}{
		"no error":                 {nil, nil, nil, 0},
		"another error":            {errTest, nil, nil, 0},
		"a retry with another":     {errPasses, errTest, nil, 1},
		"a retry that succeeds":    {errPasses, nil, nil, 1},
		"retries off":              {errPasses, nil, []rxcql.Option{rxcql.WithRetry(0, 0)}, 0},
		"no more than one attempt": {errPasses, nil, []rxcql.Option{rxcql.WithRetry(time.Minute, 1)}, 0},
	} {
		alone(t, name, func(t *testing.T) {
			calls := 0
			var got error
			rep, err := retrying(t.Context(), t, func(ctx context.Context, st *rxcql.Stage) error {
				got = st.Retry(ctx, each.first, passes, func(int) error {
					calls++
					return each.second
				})
				return nil
			}, each.opts...)
			require.NoError(t, err)
			want := each.first
			if each.calls > 0 {
				want = each.second
			}
			require.True(t, got == want, "%v", got)
			require.Equal(t, each.calls, calls)
			require.EqualValues(t, each.calls, rep.Retried)
		})
	}
}

func TestAWaitForARetryEndsAtOnceWithTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(100*time.Second, func() { cancel(errTest) })
		start, calls := time.Now(), 0
		var waited error
		_, err := retrying(ctx, t, func(ctx context.Context, st *rxcql.Stage) error {
			waited = st.Retry(ctx, errPasses, passes, func(int) error {
				calls++
				return errPasses
			})
			require.NoError(t, ctx.Err(), "the writes' context lives on")
			return waited
		}, rxcql.WithRetry(time.Hour, 0))
		require.True(t, waited == errTest, "%v", waited)
		require.ErrorIs(t, err, errTest)
		require.Equal(t, 100*time.Second, time.Since(start))
		require.Greater(t, calls, 15)
	})
}

func TestAnAttemptUnderWayAtACancelCountsAsItEnds(t *testing.T) {
	for name, outcome := range map[string]error{"success": nil, "another error": errTest} {
		alone(t, name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			_, err := retrying(ctx, t, func(ctx context.Context, st *rxcql.Stage) error {
				got := st.Retry(ctx, errPasses, passes, func(int) error {
					cancel()
					time.Sleep(time.Second)
					return outcome
				})
				require.True(t, got == outcome, "%v", got)
				return nil
			})
			require.ErrorIs(t, err, context.Canceled)
		})
	}
}

func TestChecksAreTriedAgainAsTheOptionSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		check := func(ctx context.Context) error {
			return rxcql.Retry(ctx, passes, func() error {
				if calls++; calls%3 == 0 {
					return nil
				}
				return errPasses
			})
		}
		stream := rxcql.NewStream(rxcql.StageInfo{Name: "Checked", Check: check},
			func(ctx context.Context, _ *rxcql.Stage, out flow.Observer[int]) error { return out.Done(ctx, false) })

		rep, err := pipeline(t, stream, &memory[int]{}).Run(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 2, rep.Retried)
		require.NoError(t, pipeline(t, stream, &memory[int]{}).Check(t.Context()))
		require.NoError(t, stream.Check(t.Context()))
		require.Equal(t, 9, calls)

		off := rxcql.WithRetry(0, 0)
		_, err = pipeline(t, stream, &memory[int]{}, off).Run(t.Context())
		require.ErrorIs(t, err, errPasses)
		require.ErrorIs(t, pipeline(t, stream, &memory[int]{}, off).Check(t.Context()), errPasses)
		calls = 0
		_, err = stream.Count(t.Context(), off)
		require.ErrorIs(t, err, errPasses)
	})
}

func TestRetriesThatMakeNoSenseAreRefused(t *testing.T) {
	for _, opt := range []rxcql.Option{rxcql.WithRetry(-1, 0), rxcql.WithRetry(time.Second, -1)} {
		_, err := rxcql.New(seq(1), &memory[int]{}, opt)
		require.ErrorIs(t, err, rxcql.ErrConfig)
		require.ErrorContains(t, err, "WithRetry(")
	}
}

func TestRowsOfUnknownOutcomeAreNamedByTheError(t *testing.T) {
	rep, err := retrying(t.Context(), t, func(_ context.Context, st *rxcql.Stage) error {
		st.CountUnknown(3)
		st.CountUnknown(4)
		return errTest
	})
	require.ErrorIs(t, err, rxcql.ErrUnknownOutcome)
	require.ErrorIs(t, err, errTest)
	var unknown *rxcql.UnknownOutcomeError
	require.ErrorAs(t, err, &unknown)
	require.EqualValues(t, 7, unknown.Rows)
	require.EqualValues(t, 7, rep.Unknown)
	require.Contains(t, rep.String(), "7 rows of unknown outcome")
}
