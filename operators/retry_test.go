package operators_test

import (
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest"
	"github.com/rxcql/rxcql/source"
)

var (
	errPasses = fmt.Errorf("the service: %w", gocql.ErrTimeoutNoResponse)
	errStays  = errors.New("never again")
)

// failingAt hands rows on, and fails in calls of those numbers, counted from 1 over all attempts.
func failingAt(in rxcql.Stream[int], err error, calls ...int) rxcql.Stream[int] {
	call := 0
	return operators.Map(in, func(n int) (int, error) {
		call++
		for _, fails := range calls {
			if call == fails {
				return 0, err
			}
		}
		return n, nil
	})
}

// anyError is for RetryIf and RecoverIf.
func anyError(error) bool { return true }

func TestRetryReadsAgainAfterWhatMayPass(t *testing.T) {
	for name, c := range map[string]struct {
		script *rxcqltest.Script[int]
		want   []int
		runs   int
	}{
		"nothing wrong":       {rxcqltest.NewScript[int]().Page(1, 2).Page(3), []int{1, 2, 3}, 1},
		"empty":               {rxcqltest.NewScript[int](), nil, 1},
		"before the first":    {rxcqltest.NewScript[int]().FailOnce(errPasses).Page(1), []int{1}, 2},
		"in the middle":       {rxcqltest.NewScript[int]().Page(1, 2).FailOnce(errPasses).Page(3), []int{1, 2, 1, 2, 3}, 2},
		"behind the last":     {rxcqltest.NewScript[int]().Page(1).FailOnce(errPasses), []int{1, 1}, 2},
		"more than once":      {rxcqltest.NewScript[int]().Page(1).FailOnce(errPasses).Page(2).FailOnce(errPasses).Page(3), []int{1, 1, 2, 1, 2, 3}, 3},
		"without any row":     {rxcqltest.NewScript[int]().Page().FailOnce(errPasses), nil, 2},
		"several parts, once": {rxcqltest.NewScript[int]().Page(1).Part(1).Page(10).FailOnce(errPasses).Part(0).Page(2), []int{1, 10, 1, 10, 2}, 2},
	} {
		synctest.Test(t, func(t *testing.T) {
			sink := &gather[int]{}
			rep, err := rxcql.Run(t.Context(), operators.Retry(c.script.Stream()), sink)
			require.NoError(t, err, name)
			require.Equal(t, c.want, sink.rows(), name)
			require.Equal(t, c.runs, c.script.Runs(), name)
			require.True(t, rep.Complete, name)
			require.EqualValues(t, c.runs-1, rep.Retried, name)
			require.Equal(t, rep.Pages, rep.PagesSettled+rep.PagesGivenUp, name)
			require.Zero(t, rep.BytesInFlight, name)
			require.EqualValues(t, len(c.want), stagesOf(rep)["Retry"].In, name)
			require.EqualValues(t, len(c.want), stagesOf(rep)["Retry"].Out, name)
		})
	}
}

func TestWhatRetryDoesNotRepeatComesBackAsItIs(t *testing.T) {
	for name, c := range map[string]struct {
		in   rxcql.Stream[int]
		opts []operators.RetryOption
		want error
	}{
		"an error that stays":         {in: failingAt(count(9, 2), errStays, 5), want: errStays},
		"one that RetryIf refuses":    {failingAt(count(9, 2), errPasses, 5), []operators.RetryOption{operators.RetryIf(func(error) bool { return false })}, errPasses},
		"a panic":                     {panicking(5, errPasses), []operators.RetryOption{operators.RetryIf(anyError)}, rxcql.ErrPanic},
		"a budget that is held":       {failingAt(count(9, 2), rxcql.ErrBudgetHeld, 5), []operators.RetryOption{operators.RetryIf(anyError)}, rxcql.ErrBudgetHeld},
		"a second run of what is one": {failingAt(count(9, 2), rxcql.ErrSingleRun, 5), []operators.RetryOption{operators.RetryIf(anyError)}, rxcql.ErrSingleRun},
	} {
		synctest.Test(t, func(t *testing.T) {
			begun := time.Now()
			rep, err := run(t, operators.Retry(c.in, c.opts...))
			require.ErrorIs(t, err, c.want, name)
			failedIn(t, "Map", err)
			require.Zero(t, rep.Retried, name)
			require.Zero(t, rep.BytesInFlight, name)
			require.Zero(t, time.Since(begun), name)
		})
	}
}

func panicking(call int, value any) rxcql.Stream[int] {
	calls := 0
	return operators.Map(count(9, 2), func(n int) (int, error) {
		if calls++; calls == call {
			panic(value)
		}
		return n, nil
	})
}

func TestRetryDoesNotRepeatForWhatFollowsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		taken := 0
		again := operators.Retry(source.Seq(numbers(9, &taken), source.PageRows(2)), operators.RetryIf(anyError))
		_, err := run(t, failingAt(again, errPasses, 5))
		require.ErrorIs(t, err, errPasses)
		require.LessOrEqual(t, taken, 6, "it is read once")

		rows, rep := pagesOut(t, operators.Take(again, 3))
		require.EqualValues(t, 3, rep.Written)
		require.Equal(t, "Take", rep.EndedBy)
		require.Len(t, rows, 2)
		require.Equal(t, rep.Pages, rep.PagesSettled)

		rows, rep = pagesOut(t, operators.Retry(operators.Take(count(9, 2), 3)))
		require.Len(t, rows, 2)
		require.Equal(t, "Take", rep.EndedBy)
	})
}

func TestALimitDownstreamCountsRowsThatComeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := operators.Take(operators.Retry(failingAt(count(1<<40, 2), errPasses, 5)), 6)
		require.Equal(t, []int{0, 1, 2, 3, 0, 1}, collect(t, s))
	})
}

func TestDistinctBehindRetryDropsRowsThatComeAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := operators.Distinct(operators.Retry(failingAt(count(20, 3), errPasses, 8, 20)), itself[int], operators.DistinctKeys(100))
		_, rep := pagesOut(t, s)
		require.EqualValues(t, 20, rep.Written)
		require.True(t, rep.Complete)
	})
}
