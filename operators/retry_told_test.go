package operators_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

func TestHooksAndTheLogSayThatAStreamIsReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events []rxcql.RetryEvent
		var text bytes.Buffer
		secret := fmt.Errorf("row 'canary': %w", gocql.ErrTimeoutNoResponse)
		s := operators.Retry(failingAt(count(9, 2), secret, 3))
		_, err := s.Count(t.Context(), rxcql.WithLogger(slog.New(slog.NewTextHandler(&text, nil))),
			rxcql.WithHooks(rxcql.Hooks{Retry: func(_ context.Context, e rxcql.RetryEvent) { events = append(events, e) }}))
		require.NoError(t, err)
		require.Len(t, events, 1)
		e := events[0]
		require.Equal(t, "Retry", e.Stage)
		require.Equal(t, 2, e.Attempt)
		require.Equal(t, "client timeout", e.ErrorType)
		require.ErrorIs(t, e.Err, gocql.ErrTimeoutNoResponse)
		require.InDelta(t, operators.DefaultFirstRetryDelay.Seconds(), e.Wait.Seconds(), 0.2)
		require.Contains(t, text.String(), "a stream failed and is read again")
		require.Contains(t, text.String(), "stage=Retry attempt=2")
		require.NotContains(t, text.String()+e.Err.Error(), "canary")
	})
}

func TestRowsThatFailFailInEachAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := operators.Map(count(10, 3), func(n int) (int, error) {
			if n == 1 {
				return 0, errStays
			}
			return n, nil
		})
		// The last of the nine rows that are left fails, once.
		rep, err := rxcql.Run(t.Context(), operators.Retry(failingAt(bad, errPasses, 9)), &gather[int]{}, rxcql.WithRowErrors(rxcql.SkipRows(2)))
		require.NoError(t, err)
		require.EqualValues(t, 2, rep.Skipped)
		require.EqualValues(t, 8+9, rep.Written)

		again := operators.Retry(failingAt(bad, errPasses, 9), operators.RetryIf(anyError))
		rep, err = rxcql.Run(t.Context(), again, &gather[int]{}, rxcql.WithRowErrors(rxcql.SkipRows(1)))
		require.ErrorIs(t, err, rxcql.ErrSkipLimit, "the limit is that of the run")
		require.EqualValues(t, 1, rep.Retried)
	})
}

func TestAPanicOfRetryIfNamesRetry(t *testing.T) {
	for _, calls := range []int{0, 1} { // at the first failure, and at a later one
		synctest.Test(t, func(t *testing.T) {
			asked := 0
			s := operators.Retry(failingAt(count(9, 2), errPasses, 3, 5), operators.RetryIf(func(error) bool {
				if asked++; asked > calls {
					panic("asked")
				}
				return true
			}))
			_, err := run(t, s)
			require.ErrorIs(t, err, rxcql.ErrPanic)
			failedIn(t, "Retry", err)
		})
	}
}
