package operators_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// laned are lanes over rows 0 to n-1, by ten keys, that call fn with each row.
func laned(in rxcql.Stream[int], lanes int, fn func(n int) error) rxcql.Stream[int] {
	return operators.Lanes(in, lanes, func(n int) int { return n % 10 }, func(in rxcql.Stream[int]) rxcql.Stream[int] {
		return operators.Map(in, func(n int) (int, error) { return n, fn(n) })
	})
}

func TestAnErrorOrAPanicInALaneEndsAllAndNamesTheLane(t *testing.T) {
	boom := errors.New("boom")
	for _, lanes := range []int{1, 2, 8} {
		for _, panics := range []bool{false, true} {
			rep, err := run(t, laned(count(1<<40, 10), lanes, func(n int) error {
				if n == 420 && panics {
					panic(boom)
				}
				if n == 420 {
					return boom
				}
				return nil
			}))
			require.ErrorIs(t, err, boom)
			require.Equal(t, panics, errors.Is(err, rxcql.ErrPanic))
			var stage *rxcql.StageError
			require.ErrorAs(t, err, &stage)
			require.Regexp(t, `^Map \(lane \d\)$`, stage.Stage)
			require.Empty(t, rep.EndedBy)
			require.Less(t, rep.PagesSettled, rep.Pages)
			require.Zero(t, rep.BytesInFlight)
		}
	}
}

func TestAPanicInTheKeyOfLanesIsAnErrorOfTheirStage(t *testing.T) {
	boom := errors.New("boom")
	_, err := operators.Lanes(count(100, 10), 2, func(n int) int {
		if n == 42 {
			panic(boom)
		}
		return n
	}, sameRows).Count(t.Context())
	require.ErrorIs(t, err, boom)
	failedIn(t, "Lanes in", err)
}

func TestLanesEndWithTheErrorOfTheSourceOrOfTheSinkOrWithTheCauseOfACancel(t *testing.T) {
	boom, why := errors.New("boom"), errors.New("why")
	failing := source.Seq(func(yield func(int, error) bool) {
		for i := range 100 {
			if !yield(i, nil) {
				return
			}
		}
		yield(0, boom)
	}, source.PageRows(7))
	_, err := laned(failing, 3, func(int) error { return nil }).Count(t.Context())
	require.ErrorIs(t, err, boom)
	failedIn(t, "Seq", err)

	taken := 0
	_, err = laned(count(1<<40, 7), 3, func(int) error { return nil }).ForEach(t.Context(), func(int) error {
		if taken++; taken == 100 {
			return boom
		}
		return nil
	})
	require.ErrorIs(t, err, boom)

	ctx, cancel := context.WithCancelCause(t.Context())
	_, err = laned(count(1<<40, 7), 3, func(n int) error {
		if n == 200 {
			cancel(why)
		}
		return nil
	}).Count(ctx)
	require.ErrorIs(t, err, why)

	ctx, cancel = context.WithCancelCause(t.Context())
	time.AfterFunc(time.Millisecond, func() { cancel(why) })
	_, err = laned(source.Chan(make(chan int)), 3, func(int) error { return nil }).Count(ctx)
	require.ErrorIs(t, err, why)

	for range laned(count(1<<40, 7), 3, func(int) error { return nil }).All(t.Context()) {
		break // and goleak finds nothing
	}
}

func TestAStopLetsAllRowsInLanesComeOut(t *testing.T) {
	for _, lanes := range []int{1, 3} {
		var p *rxcql.Pipeline
		out := &gather[int]{}
		p, err := rxcql.New(laned(count(1<<40, 10), lanes, func(n int) error {
			if n == 300 {
				p.Stop()
			}
			return nil
		}), out)
		require.NoError(t, err)
		rep, err := p.Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, rxcql.EndedByStop, rep.EndedBy)
		require.Equal(t, rep.ReadRows, rep.Written)
		require.Equal(t, rep.Pages, rep.PagesSettled)
		require.ElementsMatch(t, upTo(int(rep.ReadRows)), out.rows())
	}
}

func TestAStopDropsWhatIsNotWholeInALane(t *testing.T) {
	var p *rxcql.Pipeline
	s := operators.Lanes(operators.Tap(count(1000, 10), func(n int) error {
		if n == 500 {
			p.Stop()
		}
		return nil
	}), 2, itself[int], func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Reduce(in, zero, add) })
	out := &gather[int]{}
	p, err := rxcql.New(s, out)
	require.NoError(t, err)
	rep, err := p.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, rxcql.EndedByStop, rep.EndedBy)
	require.Empty(t, out.rows())
	require.Less(t, rep.PagesSettled, rep.Pages)
	for _, page := range out.pages {
		require.False(t, page.Last, "the rows of the part have not all come")
	}
}
