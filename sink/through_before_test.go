package sink_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// pagesOf is a stream of from to from+n-1 in pages of so many rows.
func pagesOf(from, n, rows int) rxcql.Stream[int] {
	return source.Seq(func(yield func(int, error) bool) {
		for i := range n {
			if !yield(from+i, nil) {
				return
			}
		}
	}, source.PageRows(rows))
}

// waits takes a while, as a query does.
func waits(ctx context.Context, n int) (int, error) {
	select {
	case <-time.After(time.Millisecond):
		return n, nil
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
}

func timed(in rxcql.Stream[int]) rxcql.Stream[int] {
	return operators.FlatMap(operators.Batch(in, operators.BatchRows(10), operators.BatchLinger(time.Second)),
		func(rows []int, emit func(int) bool) error {
			for _, n := range rows {
				emit(n)
			}
			return nil
		})
}

func unchanged(o rxgo.Observable) rxgo.Observable { return o }

// allRows are chains of operators that hand on every row.
var allRows = map[string]func(rxcql.Stream[int]) rxcql.Stream[int]{
	"Map": func(in rxcql.Stream[int]) rxcql.Stream[int] {
		return operators.Map(in, func(n int) (int, error) { return n, nil })
	},
	"MapConcurrent": func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.MapConcurrent(in, 8, waits) },
	"Unordered": func(in rxcql.Stream[int]) rxcql.Stream[int] {
		return operators.MapConcurrent(in, 8, waits, operators.Unordered())
	},
	"Merge":       func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Merge(in) },
	"timed Batch": timed,
	"Rx":          func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Rx[int, int](in, unchanged) },
}

func TestWhatIsBeforeAThroughMayEndBeforeTheOperatorsInIt(t *testing.T) {
	for before, in := range map[string]rxcql.Stream[int]{
		"Merge": operators.Merge(pagesOf(0, 100, 30), pagesOf(100, 100, 30)),
		"Rx":    operators.Rx[int, int](pagesOf(0, 200, 30), unchanged),
		"Rx that ends its stream": operators.Rx[int, int](pagesOf(0, 1000, 30), func(o rxgo.Observable) rxgo.Observable {
			return o.Take(200)
		}),
		"timed Batch":      timed(pagesOf(0, 200, 30)),
		"Take after Merge": operators.Take(operators.Merge(pagesOf(0, 200, 30), operators.Filter(ints(9), func(int) bool { return false })), 200),
		"nothing":          pagesOf(0, 200, 30),
	} {
		for inside, fn := range allRows {
			synctest.Test(t, func(t *testing.T) {
				var got []int
				rep, err := run(t, in, sink.Through(fn, collect(&got)))
				require.NoError(t, err, "%s, %s", before, inside)
				slices.Sort(got)
				require.Len(t, got, 200, "%s, %s", before, inside)
				require.Equal(t, []int{0, 199}, []int{got[0], got[199]})
				require.EqualValues(t, 200, rep.Written)
				require.Equal(t, rep.Pages, rep.PagesSettled)
				require.Zero(t, rep.BytesInFlight)
			})
		}
	}
}

func TestARunWithThroughEndsAsItIsToldWhateverIsBeforeAndInIt(t *testing.T) {
	names := []string{"Map", "MapConcurrent", "Unordered", "Merge", "timed Batch", "Rx"}
	cause := errors.New("enough")
	rapid.Check(t, func(rt *rapid.T) {
		chain := func(what string) func(rxcql.Stream[int]) rxcql.Stream[int] {
			verbs := rapid.SliceOfN(rapid.SampledFrom(names), 1, 3).Draw(rt, what)
			return func(s rxcql.Stream[int]) rxcql.Stream[int] {
				for _, verb := range verbs {
					s = allRows[verb](s)
				}
				return s
			}
		}
		page, rows := rapid.IntRange(1, 30).Draw(rt, "page"), rapid.IntRange(1, 60).Draw(rt, "rows")
		end := rapid.SampledFrom([]string{"by itself", "by Stop", "by a cancel"}).Draw(rt, "ends")
		ctx, cancel := context.WithCancelCause(context.Background())
		defer cancel(nil)
		var p *rxcql.Pipeline
		at := rapid.IntRange(0, rows-1).Draw(rt, "at")
		disturbed := operators.Tap(pagesOf(0, rows, page), func(n int) error {
			switch {
			case n != at:
			case end == "by Stop":
				p.Stop()
			case end == "by a cancel":
				cancel(cause)
			}
			return nil
		})
		var got, all []int
		in := chain("before")(operators.Merge(disturbed, pagesOf(rows, rows, page)))
		p, err := rxcql.New(in, sink.Tee(collect(&all), sink.Through(chain("inside"), collect(&got))))
		require.NoError(rt, err)
		rep, err := p.Run(ctx)
		require.Zero(rt, rep.BytesInFlight)
		if end == "by a cancel" {
			require.ErrorIs(rt, err, cause)
			return
		}
		require.NoError(rt, err)
		require.ElementsMatch(rt, all, got)
		require.EqualValues(rt, rep.ReadRows, len(got))
		require.Equal(rt, rep.Pages, rep.PagesSettled)
		if end == "by itself" {
			require.Len(rt, got, 2*rows)
			require.True(rt, rep.Complete)
		}
	})
}

func TestACancelReachesTheOperatorsInThroughAlsoWhileNothingIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(context.Background())
		start := time.Now()
		var seen time.Duration
		waiting := func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.MapConcurrent(in, 1, func(ctx context.Context, _ int) (int, error) {
				<-ctx.Done()
				seen = time.Since(start)
				require.ErrorIs(t, context.Cause(ctx), cause)
				return 0, ctx.Err()
			})
		}
		slow := operators.Tap(pagesOf(0, 2, 1), func(n int) error {
			time.Sleep(time.Duration(n) * time.Hour) // and does not look for a cancel
			return nil
		})
		p, err := rxcql.New(slow, sink.Through(waiting, collect(new([]int))))
		require.NoError(t, err)
		time.AfterFunc(time.Second, func() { cancel(cause) })
		rep, err := p.Run(ctx)
		require.ErrorIs(t, err, cause)
		require.Equal(t, time.Second, seen)
		require.Zero(t, rep.PagesSettled)
	})
}

func TestAFailureBeforeAThroughEndsTheWriteThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		fails := operators.Tap(ints(1), func(int) error {
			time.Sleep(time.Second)
			return broken
		})
		waiting := func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.MapConcurrent(in, 1, func(ctx context.Context, _ int) (int, error) {
				<-ctx.Done()
				return 0, ctx.Err()
			})
		}
		start := time.Now()
		rep, err := run(t, operators.Merge(ints(100), fails), sink.Through(waiting, collect(new([]int))))
		require.ErrorIs(t, err, broken)
		require.Equal(t, time.Second, time.Since(start))
		require.Zero(t, rep.PagesSettled)
	})
}
