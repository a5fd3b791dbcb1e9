package backoff_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/backoff"
	"github.com/rxcql/rxcql/internal/leak"
)

func TestMain(m *testing.M) { leak.Main(m) }

var (
	errPasses = errors.New("it passes")
	errStays  = errors.New("it stays")
)

func passes(err error) bool { return errors.Is(err, errPasses) }

func TestWaitsDoubleUpToTheLongestGiveOrTakeAQuarter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var waits []time.Duration
		before := time.Now()
		p := backoff.Policy{First: time.Second, Longest: 4 * time.Second, Attempts: 6}
		last, attempts, why := p.Retry(t.Context(), errPasses, passes, func(attempt int) error {
			require.Equal(t, len(waits)+1, attempt)
			waits = append(waits, time.Since(before))
			before = time.Now()
			return errPasses
		})
		require.Equal(t, errPasses, last)
		require.Equal(t, 6, attempts, "the first one included")
		require.ErrorIs(t, why, backoff.ErrLimit)
		require.Len(t, waits, 5)
		for i, want := range []time.Duration{1, 2, 4, 4, 4} {
			require.InDelta(t, want*time.Second, waits[i], float64(want*time.Second/4), i)
		}
	})
}

func TestWhatSucceedsOrMayNotBeRepeatedIsReturnedAsItIs(t *testing.T) {
	for _, end := range []error{nil, errStays} {
		synctest.Test(t, func(t *testing.T) {
			calls := 0
			p := backoff.Policy{First: time.Second, Longest: time.Minute, Total: time.Hour}
			last, attempts, why := p.Retry(t.Context(), errPasses, passes, func(int) error {
				if calls++; calls < 4 {
					return errPasses
				}
				return end
			})
			require.Equal(t, end, last)
			require.Equal(t, 5, attempts)
			require.NoError(t, why)
		})
	}
}

func TestNothingIsDoneAgainAfterTheTotalTimeOrTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, late := time.Now(), time.Duration(0)
		p := backoff.Policy{First: time.Second, Longest: time.Second, Total: 10 * time.Second}
		last, _, why := p.Retry(t.Context(), errPasses, passes, func(int) error {
			late = time.Since(start)
			return errPasses
		})
		require.Equal(t, errPasses, last)
		require.ErrorIs(t, why, backoff.ErrLimit)
		require.Greater(t, late, 5*time.Second)
		require.LessOrEqual(t, late, 10*time.Second)
	})
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(t.Context(), 10*time.Second, errStays)
		defer cancel()
		p := backoff.Policy{First: time.Second, Longest: time.Hour}
		last, _, why := p.Retry(ctx, errPasses, passes, func(int) error { return errPasses })
		require.Equal(t, errPasses, last)
		require.Equal(t, errStays, why)
		require.NoError(t, t.Context().Err())
	})
}
