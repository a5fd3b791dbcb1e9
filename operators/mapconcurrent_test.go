package operators_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

func TestMapConcurrentKeepsTheOrderHoweverLongCallsTake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := operators.MapConcurrent(count(500, 7), 16, func(_ context.Context, n int) (int, error) {
			time.Sleep(time.Duration(n*7919%100) * time.Millisecond)
			return n, nil
		})
		require.Equal(t, upTo(500), collect(t, s))
	})
}

func TestMapConcurrentMakesNoMoreThanNCallsAtOnceAndReachesN(t *testing.T) {
	for _, opts := range [][]operators.MapConcurrentOption{nil, {operators.Unordered()}} {
		synctest.Test(t, func(t *testing.T) {
			var now, most atomic.Int64
			s := operators.MapConcurrent(count(2000, 100), 37, func(_ context.Context, n int) (int, error) {
				most.Store(max(most.Load(), now.Add(1)))
				time.Sleep(time.Second)
				now.Add(-1)
				return n, nil
			}, opts...)
			start := time.Now()
			got := collect(t, s)
			slices.Sort(got)
			require.Equal(t, upTo(2000), got)
			require.EqualValues(t, 37, most.Load())
			require.Equal(t, 55*time.Second, time.Since(start), "2000 rows, 37 at once, a second each")
		})
	}
}

func TestMapConcurrentWithUnorderedHandsOnWhatIsReadyFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := operators.MapConcurrent(count(4, 4), 4, func(_ context.Context, n int) (int, error) {
			time.Sleep(time.Duration(4-n) * time.Second)
			return n, nil
		}, operators.Unordered())
		require.Equal(t, []int{3, 2, 1, 0}, collect(t, s))
	})
}

func TestMapConcurrentHoldsNoMoreRowsThanItSays(t *testing.T) {
	for most, opts := range map[int][]operators.MapConcurrentOption{4 * 5: nil, 5: {operators.Unordered()}} {
		synctest.Test(t, func(t *testing.T) {
			var in, out int
			var mu sync.Mutex
			held := func(change func()) {
				mu.Lock()
				defer mu.Unlock()
				change()
				require.LessOrEqual(t, in-out, 2*most+1)
			}
			rows := operators.Tap(count(300, 1), func(int) error { held(func() { in++ }); return nil })
			s := operators.MapConcurrent(rows, 5, ctxDouble, opts...)
			for _, err := range s.All(t.Context()) {
				require.NoError(t, err)
				time.Sleep(time.Second) // a slow reader holds the calls up
				held(func() { out++ })
			}
			require.Equal(t, 300, out)
		})
	}
}

func TestMapConcurrentInOrderKeepsRangesAndTheirEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := ranges(
			part[int]{0, []int{1, 2, 3}, false}, part[int]{1, []int{4}, false}, part[int]{0, nil, false},
			part[int]{1, nil, true}, part[int]{0, []int{5, 6}, true},
		)
		pages, rep := pagesOut(t, operators.MapConcurrent(in, 3, func(_ context.Context, n int) (int, error) {
			time.Sleep(time.Duration(n) * time.Minute) // 5 lands before 6
			return 2 * n, nil
		}))
		rows, ends := map[int][]int{}, map[int]int{}
		for _, p := range pages {
			require.Zero(t, ends[p.Range], "nothing of a range comes after its end")
			rows[p.Range] = append(rows[p.Range], p.Rows...)
			if p.Last {
				ends[p.Range]++
			}
		}
		require.Equal(t, map[int][]int{0: {2, 4, 6, 10, 12}, 1: {8}}, rows)
		require.Equal(t, map[int]int{0: 1, 1: 1}, ends)
		require.True(t, rep.Complete)
	})
}

func TestMapConcurrentOfAnEmptyStreamCallsNothing(t *testing.T) {
	for _, opts := range [][]operators.MapConcurrentOption{nil, {operators.Unordered()}} {
		require.Empty(t, collect(t, operators.MapConcurrent(count(0, 1), 3, func(context.Context, int) (int, error) {
			panic("called")
		}, opts...)))
	}
}

func TestAnErrorInMapConcurrentEndsTheOtherCallsAndWaitsForThem(t *testing.T) {
	for _, opts := range [][]operators.MapConcurrentOption{nil, {operators.Unordered()}} {
		var running atomic.Int64
		boom := errors.New("boom")
		_, err := operators.MapConcurrent(count(1000, 10), 50, func(ctx context.Context, n int) (int, error) {
			running.Add(1)
			defer running.Add(-1)
			if n == 30 {
				return 0, boom
			}
			<-ctx.Done()
			return 0, ctx.Err()
		}, opts...).Collect(context.Background())
		require.ErrorIs(t, err, boom)
		var stage *rxcql.StageError
		require.ErrorAs(t, err, &stage)
		require.Equal(t, "MapConcurrent", stage.Stage)
		require.Zero(t, running.Load())
	}
}

func TestTheEndOfTheStreamEndsCallsInFlightAtOnce(t *testing.T) {
	for _, opts := range [][]operators.MapConcurrentOption{nil, {operators.Unordered()}} {
		synctest.Test(t, func(t *testing.T) {
			var cut atomic.Int64
			calls := operators.MapConcurrent(source.Chan(endless(t)), 10, func(ctx context.Context, n int) (int, error) {
				if n == 0 {
					return n, nil
				}
				<-ctx.Done()
				cut.Add(1)
				return 0, ctx.Err()
			}, opts...)
			sink := &gather[int]{}
			p, err := rxcql.New(operators.TakeWhile(operators.Map(calls, func(n int) (int, error) {
				time.Sleep(time.Second) // until the other calls are made
				return n + 1, nil
			}), func(n int) bool { return n < 1 }), sink)
			require.NoError(t, err)
			rep, err := p.Run(context.Background())
			require.NoError(t, err)
			require.Equal(t, "TakeWhile", rep.EndedBy)
			require.Positive(t, cut.Load())
			require.Equal(t, rep.Pages, rep.PagesSettled)
			require.Equal(t, rep.ReadRows, rep.Written+rep.Filtered)
			require.Zero(t, rep.BytesInFlight)
		})
	}
}

// endless sends numbers until the test ends.
func endless(t *testing.T) <-chan int {
	ch := make(chan int)
	stop := make(chan struct{})
	var sender sync.WaitGroup
	t.Cleanup(func() { close(stop); sender.Wait() })
	sender.Go(func() {
		for i := 0; ; i++ {
			select {
			case ch <- i:
			case <-stop:
				return
			}
		}
	})
	return ch
}

func TestACallThatEndsItsGoroutineIsAnError(t *testing.T) {
	_, err := operators.MapConcurrent(count(10, 5), 3, func(_ context.Context, n int) (int, error) {
		if n == 7 {
			runtime.Goexit()
		}
		return n, nil
	}).Collect(context.Background())
	require.ErrorContains(t, err, "Goexit")
}

func TestCallsAreWaitedForIfTheStreamBeforeThemEndsItsGoroutine(t *testing.T) {
	for _, opts := range [][]operators.MapConcurrentOption{nil, {operators.Unordered()}} {
		var running atomic.Int64
		in := operators.Tap(count(1000, 10), func(n int) error {
			if n == 500 {
				runtime.Goexit()
			}
			return nil
		})
		_, err := operators.MapConcurrent(in, 50, func(_ context.Context, n int) (int, error) {
			running.Add(1)
			defer running.Add(-1)
			time.Sleep(time.Millisecond)
			return n, nil
		}, opts...).Count(context.Background())
		require.ErrorContains(t, err, "Goexit")
		require.Zero(t, running.Load())
	}
}

func TestResultsThatGatherGoOnTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &gather[int]{took: func([]int) error { time.Sleep(time.Second); return nil }}
		p, err := rxcql.New(operators.MapConcurrent(count(10_000, 500), 10_000, func(_ context.Context, n int) (int, error) {
			time.Sleep(time.Second)
			return n, nil
		}, operators.Unordered()), sink)
		require.NoError(t, err)
		_, err = p.Run(context.Background())
		require.NoError(t, err)
		require.Len(t, sink.rows(), 10_000)
		require.LessOrEqual(t, len(sink.pages), 3)
	})
}
