package rxcql_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

// retryingLetters never gets a letter written, and tries again, as deadletter.Table
// does.
type retryingLetters struct{ attempts *[]time.Time }

func (retryingLetters) Check(context.Context) error { return nil }
func (s retryingLetters) Open(ctx context.Context) (rxcql.DeadLetterWriter, error) {
	if rxcql.ExecutionFromContext(ctx) == nil {
		return nil, errors.New("of no run")
	}
	return s, nil
}
func (retryingLetters) Close() error { return nil }
func (s retryingLetters) Write(ctx context.Context, _ []rxcql.Letter) error {
	return rxcql.Retry(ctx, passes, func() error {
		*s.attempts = append(*s.attempts, time.Now())
		return errPasses
	})
}

func TestNoAttemptToWriteALetterBeginsAfterACancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var attempts []time.Time
		ctx, cancel := context.WithCancelCause(context.Background())
		bad := operators.Map(tens(1).Stream(), func(n int) (int, error) { return n, errors.New("bad") })
		p, err := rxcql.New(bad, sink.Each(func(context.Context, int) error { return nil }),
			rxcql.WithRowErrors(rxcql.DeadLetter(retryingLetters{&attempts})))
		require.NoError(t, err)
		var at time.Time
		enough := errors.New("enough")
		time.AfterFunc(2*time.Second, func() { at = time.Now(); cancel(enough) })
		_, err = p.Run(ctx)
		require.ErrorIs(t, err, enough)
		require.Equal(t, at, time.Now(), "nothing was under way")
		require.Greater(t, len(attempts), 3)
		for _, attempt := range attempts {
			require.False(t, attempt.After(at))
		}
	})
}

func TestAContextOfNoRunHasNone(t *testing.T) {
	require.Nil(t, rxcql.ExecutionFromContext(t.Context()))
}
