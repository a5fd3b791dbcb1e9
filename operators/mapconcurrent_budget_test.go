package operators_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

func TestStopFinishesCallsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var p *rxcql.Pipeline
		s := operators.MapConcurrent(source.Chan(endless(t)), 4, func(_ context.Context, n int) (int, error) {
			time.Sleep(time.Second)
			if n == 20 {
				p.Stop()
			}
			return n, nil
		})
		sink := &gather[int]{}
		p, err := rxcql.New(s, sink)
		require.NoError(t, err)
		rep, err := p.Run(context.Background())
		require.NoError(t, err)
		require.Equal(t, "Stop", rep.EndedBy)
		require.Equal(t, upTo(len(sink.rows())), sink.rows())
		require.Equal(t, rep.ReadRows, rep.Written)
		require.Equal(t, rep.Pages, rep.PagesSettled)
	})
}

func TestAStopIsToldDownstreamOfOperatorsWithGoroutines(t *testing.T) {
	var p *rxcql.Pipeline
	in := operators.Tap(count(1<<40, 10), func(n int) error {
		if n == 100 {
			p.Stop()
		}
		return nil
	})
	for name, s := range map[string]rxcql.Stream[int]{
		"MapConcurrent": operators.MapConcurrent(in, 3, ctxDouble),
		"Unordered":     operators.MapConcurrent(in, 3, ctxDouble, operators.Unordered()),
		"Rx":            operators.Rx[int, int](in, func(o rxgo.Observable) rxgo.Observable { return o }),
	} {
		sink := &gather[int]{}
		var err error
		p, err = rxcql.New(operators.Reduce(s, zero, add), sink)
		require.NoError(t, err)
		rep, err := p.Run(context.Background())
		require.NoError(t, err, name)
		require.Equal(t, "Stop", rep.EndedBy, name)
		require.Empty(t, sink.rows(), "%s: a fold over a part", name)
	}
}

func TestAnErrorOfTheSourceEndsCallsInFlight(t *testing.T) {
	boom := errors.New("boom")
	failing := source.Seq(func(yield func(int, error) bool) { _ = yield(1, nil) && yield(0, boom) })
	for _, opts := range [][]operators.MapConcurrentOption{nil, {operators.Unordered()}} {
		_, err := operators.MapConcurrent(failing, 3, func(ctx context.Context, _ int) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		}, opts...).Count(context.Background())
		require.ErrorIs(t, err, boom)
	}
}

func TestNoCallIsMadeWhoseResultNobodyWillTake(t *testing.T) {
	for _, opts := range [][]operators.MapConcurrentOption{nil, {operators.Unordered()}} {
		var calls atomic.Int64
		in := ranges(part[int]{0, upTo(10), false}, part[int]{0, upTo(10), true}) // heeds no limit
		got := collect(t, operators.Take(operators.MapConcurrent(in, 8, func(_ context.Context, n int) (int, error) {
			calls.Add(1)
			return n, nil
		}, opts...), 3))
		require.Len(t, got, 3)
		require.EqualValues(t, 3, calls.Load())
	}
}

func TestTheBudgetBoundsTheCallsAtOnce(t *testing.T) {
	const size = 4 << 10
	rows := operators.Map(count(200, 4), func(int) (string, error) { return strings.Repeat("x", size), nil })
	for _, opts := range [][]operators.MapConcurrentOption{nil, {operators.Unordered()}} {
		synctest.Test(t, func(t *testing.T) {
			var now, most atomic.Int64
			s := operators.MapConcurrent(rows, 1000, func(_ context.Context, text string) (int, error) {
				most.Store(max(most.Load(), now.Add(1)))
				time.Sleep(time.Second)
				now.Add(-1)
				return len(text), nil
			}, opts...)
			_, err := s.Count(context.Background(), rxcql.WithBudget(rxcql.MinBudgetPerInput))
			require.NoError(t, err)
			require.LessOrEqual(t, most.Load(), rxcql.MinBudgetPerInput/size+4)
			require.Greater(t, most.Load(), int64(4))
		})
	}
}

func TestBytesAreGivenBackAsResultsLand(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 1 << 10
		for _, opts := range [][]operators.MapConcurrentOption{nil, {operators.Unordered()}} {
			var p *rxcql.Pipeline
			var bytes []int64
			sink := &gather[string]{took: func([]string) error {
				bytes = append(bytes, p.Progress().BytesInFlight)
				return nil
			}}
			rows := operators.FlatMap(count(1, 1), func(_ int, emit func(string) bool) error {
				for range 10 {
					emit(strings.Repeat("x", size))
				}
				return nil
			})
			one := operators.MapConcurrent(rows, 1, func(_ context.Context, text string) (string, error) {
				time.Sleep(time.Millisecond) // each lands alone
				return text, nil
			}, opts...)
			p, err := rxcql.New(one, sink)
			require.NoError(t, err)
			_, err = p.Run(context.Background())
			require.NoError(t, err)
			require.Greater(t, bytes[0], int64(9*size))
			require.Less(t, bytes[6], int64(6*size))
		}
	})
}

func TestLargeResultsAreChargedToTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const size = 32 << 10
		s := operators.MapConcurrent(count(40, 10), 10, func(_ context.Context, n int) (string, error) {
			if n == 0 {
				time.Sleep(time.Minute) // the others wait for it
			}
			return string(make([]byte, size)), nil
		})
		var rep rxcql.Report
		var err error
		rep, err = s.ForEach(context.Background(), func(string) error { return nil })
		require.NoError(t, err)
		require.Greater(t, rep.PeakBytes, int64(30*size))
		require.Zero(t, rep.BytesInFlight)
	})
}
