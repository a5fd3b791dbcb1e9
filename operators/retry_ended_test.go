package operators_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// An operator ends the stream by rows of another input, while Retry waits until it reads again.
func TestAStreamThatEndsWhileRetryWaitsIsNoFailure(t *testing.T) {
	for _, handedOn := range []int{0, 3} {
		synctest.Test(t, func(t *testing.T) {
			failing := source.Seq(func(yield func(int, error) bool) {
				for i := range 10 {
					if !yield(i, nil) {
						return
					}
				}
			}, source.PageRows(handedOn+2))
			tapped := operators.Retry(operators.Tap(failing, func(i int) error {
				if i == handedOn {
					return errUser
				}
				return nil
			}), operators.RetryAttempts(3), operators.RetryDelay(time.Hour, time.Hour), operators.RetryIf(func(error) bool { return true }))
			other := source.Seq(func(yield func(int, error) bool) {
				time.Sleep(time.Minute)
				for i := 0; yield(i, nil); i++ {
				}
			}, source.PageRows(5))
			rep, err := run(t, operators.Take(operators.Merge(tapped, other), 20))
			require.NoError(t, err)
			require.Equal(t, "Take", rep.EndedBy)
			require.Equal(t, rep.Pages, rep.PagesSettled+rep.PagesGivenUp)
		})
	}
}

// endsAt is a stream that ends on purpose with the first page after a while, also one without rows.
func endsAt(in rxcql.Stream[int], after time.Duration) rxcql.Stream[int] {
	return rxcql.NewStream(rxcql.StageInfo{Name: "Until"}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
		return in.Subscribe(ctx, st, &ending{out, st, time.Now().Add(after)})
	}, in)
}

type ending struct {
	flow.Observer[int]
	st  *rxcql.Stage
	end time.Time
}

func (e *ending) Next(ctx context.Context, p *flow.Page[int]) error {
	if time.Now().Before(e.end) {
		return e.Observer.Next(ctx, p)
	}
	if err := e.Done(ctx, false); err != nil {
		return err
	}
	return e.st.End()
}

// What follows hears that an attempt has failed, and ends the stream by that.
func TestAStreamThatEndsWhenItHearsThatAnAttemptHasFailedIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		failing := operators.Tap(count(10, 3), func(i int) error {
			if i == 4 {
				time.Sleep(time.Minute)
				return errUser
			}
			return nil
		})
		again := operators.Retry(failing, operators.RetryIf(func(error) bool { return true }))
		rep, err := run(t, endsAt(operators.Merge(again, count(10, 2)), time.Second))
		require.NoError(t, err)
		require.Equal(t, "Until", rep.EndedBy)
		require.Equal(t, rep.Pages, rep.PagesSettled+rep.PagesGivenUp)
	})
}
