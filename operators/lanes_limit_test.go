package operators_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

func TestTakeBehindLanesLimitsWhatIsRead(t *testing.T) {
	for name, c := range map[string]struct {
		chain func(rxcql.Stream[int]) rxcql.Stream[int]
		exact bool
	}{
		"Map": {sameRows, true},
		"MapConcurrent": {func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.MapConcurrent(in, 3, func(_ context.Context, n int) (int, error) { return n, nil })
		}, false},
		"Lanes": {func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Lanes(in, 2, itself[int], sameRows) }, false},
	} {
		for _, lanes := range []int{1, 4} {
			for range 100 { // in whichever order lanes come to their rows
				read := 0
				rep, err := run(t, operators.Take(operators.Lanes(source.Seq(numbers(1<<40, &read)), lanes, itself[int], c.chain), 10))
				require.NoError(t, err, name)
				require.Equal(t, "Take", rep.EndedBy, name)
				require.EqualValues(t, 10, rep.Written, name)
				require.Equal(t, rep.Pages, rep.PagesSettled, name)
				if c.exact {
					require.Equal(t, 10, read, name)
				}
				require.LessOrEqual(t, read, 10+2*512, "%s: and a page or two", name)
			}
		}
	}
}

func TestALimitBehindLanesIsReachedAlthoughRowsFail(t *testing.T) {
	for _, chain := range []func(rxcql.Stream[int], func(int) error) rxcql.Stream[int]{
		func(in rxcql.Stream[int], bad func(int) error) rxcql.Stream[int] {
			return operators.Map(in, func(n int) (int, error) { return n, bad(n) })
		},
		func(in rxcql.Stream[int], bad func(int) error) rxcql.Stream[int] {
			return operators.MapConcurrent(in, 4, func(_ context.Context, n int) (int, error) { return n, bad(n) })
		},
	} {
		s := operators.Lanes(count(1000, 10), 3, itself[int], func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return chain(in, func(n int) error {
				if n%2 == 0 {
					return errBad
				}
				return nil
			})
		})
		require.Len(t, collect(t, operators.Take(s, 100), rxcql.WithRowErrors(rxcql.SkipRows(1000))), 100)
	}
}

func TestTakeBehindLanesThatDropRowsEndsAStreamWithoutEnd(t *testing.T) {
	rep, err := run(t, operators.Take(operators.Lanes(count(1<<40, 10), 4, itself[int], evenRows), 100))
	require.NoError(t, err)
	require.Equal(t, "Take", rep.EndedBy)
	require.EqualValues(t, 100, rep.Written)
	require.Equal(t, rep.ReadRows, rep.Written+rep.Filtered, "%v", rep)
	require.Equal(t, rep.Pages, rep.PagesSettled)
}

func evenRows(in rxcql.Stream[int]) rxcql.Stream[int] {
	return operators.Filter(in, func(n int) bool { return n%2 == 0 })
}

func TestALaneThatEndsDropsItsRowsAndWhenAllHaveEndedNothingMoreIsRead(t *testing.T) {
	take := func(n int64) func(rxcql.Stream[int]) rxcql.Stream[int] {
		return func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Take(in, n) }
	}
	for _, n := range []int64{0, 1, 25} {
		rep, err := run(t, operators.Lanes(count(1<<40, 10), 3, itself[int], take(n)))
		require.NoError(t, err)
		require.Regexp(t, `^Take \(lane \d\)$`, rep.EndedBy)
		require.EqualValues(t, 3*n, rep.Written)
		require.Equal(t, rep.ReadRows, rep.Written+rep.Filtered, "%v", rep)
		require.Equal(t, rep.Pages, rep.PagesSettled)
		if n == 0 {
			require.Zero(t, rep.ReadRows)
		}
	}

	// The source has nothing more when the last lane ends.
	synctest.Test(t, func(t *testing.T) {
		rows, done := make(chan int), make(chan struct{})
		var came atomic.Int64
		go func() {
			for i := 0; came.Load() < 15; i++ {
				select {
				case rows <- i:
				case <-done:
				}
			}
		}()
		_, err := operators.Lanes(source.Chan(rows), 3, itself[int], take(5)).ForEach(t.Context(), func(int) error { came.Add(1); return nil })
		close(done)
		require.NoError(t, err)
		require.EqualValues(t, 15, came.Load())
	})
}
