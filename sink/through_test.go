package sink_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func even(in rxcql.Stream[int]) rxcql.Stream[int] {
	return operators.Filter(in, func(n int) bool { return n%2 == 0 })
}

func TestSynchronousOperatorsOfThroughRunInTheGoroutineThatWrites(t *testing.T) {
	var rows int // unguarded: the race detector tells
	count := func(in rxcql.Stream[int]) rxcql.Stream[int] {
		return operators.Map(in, func(n int) (int, error) { rows++; return n, nil })
	}
	var got []int
	in := operators.Map(ints(500), func(n int) (int, error) { rows++; return n, nil })
	_, err := run(t, in, sink.Through(count, collect(&got)))
	require.NoError(t, err)
	require.Equal(t, 1000, rows)
	require.Len(t, got, 500)
}

func TestAsynchronousOperatorsOfThroughDeliverEverythingBeforeTheEnd(t *testing.T) {
	var got []int
	slow := func(in rxcql.Stream[int]) rxcql.Stream[int] {
		return operators.MapConcurrent(in, 8, func(_ context.Context, n int) (int, error) { return n, nil })
	}
	rep, err := run(t, ints(5000), sink.Through(slow, collect(&got)))
	require.NoError(t, err)
	require.Len(t, got, 5000)
	require.Equal(t, rep.Pages, rep.PagesSettled)
}

func TestThroughFlushesWhatOperatorsKeepTillTheEnd(t *testing.T) {
	var got []int
	sum := func(in rxcql.Stream[int]) rxcql.Stream[int] {
		return operators.Reduce(in, func() int { return 0 }, func(a, b int) (int, error) { return a + b, nil })
	}
	_, err := run(t, ints(1000), sink.Through(sum, collect(&got)))
	require.NoError(t, err)
	require.Equal(t, []int{499500}, got)
}

func TestATakeInThroughEndsItsBranchAlone(t *testing.T) {
	var all, three []int
	take := func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Take(in, 3) }
	rep, err := run(t, ints(2000), sink.Tee(sink.Through(take, collect(&three)), collect(&all)))
	require.NoError(t, err)
	require.Equal(t, []int{0, 1, 2}, three)
	require.Len(t, all, 2000)
	require.Equal(t, rep.Pages, rep.PagesSettled)
	require.Equal(t, "Take", rep.EndedBy)
	require.False(t, rep.Complete)
	require.EqualValues(t, 2003, rep.Written)
	require.EqualValues(t, 1997, rep.Filtered)
}

func TestAnErrorOrPanicOfAnOperatorInThroughFailsTheRun(t *testing.T) {
	broken := errors.New("broken")
	for name, fn := range map[string]func(rxcql.Stream[int]) rxcql.Stream[int]{
		"Map": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.Map(in, func(n int) (int, error) {
				if n == 700 {
					return 0, broken
				}
				return n, nil
			})
		},
		"Filter": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.Filter(in, func(n int) bool {
				if n == 700 {
					panic(broken)
				}
				return true
			})
		},
		"MapConcurrent": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.MapConcurrent(in, 4, func(_ context.Context, n int) (int, error) {
				if n == 700 {
					return 0, broken
				}
				return n, nil
			})
		},
	} {
		var got, other []int
		rep, err := run(t, ints(5000), sink.Tee(sink.Through(fn, collect(&got)), collect(&other)))
		require.ErrorIs(t, err, broken, name)
		var stage *rxcql.StageError
		require.ErrorAs(t, err, &stage)
		require.Equal(t, name, stage.Stage)
		require.Less(t, rep.PagesSettled, rep.Pages)
	}
}

func TestAFailingSinkBehindThroughFailsTheRun(t *testing.T) {
	broken := errors.New("broken")
	fail := sink.Each(func(context.Context, int) error { return broken })
	_, err := run(t, ints(100), sink.Through(even, fail))
	require.ErrorIs(t, err, broken)
}

func TestThroughIsCancelledWhileAnOperatorWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(context.Background())
		wait := func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.MapConcurrent(in, 2, func(ctx context.Context, n int) (int, error) {
				<-ctx.Done()
				return 0, context.Cause(ctx)
			})
		}
		var got []int
		p, err := rxcql.New(ints(5000), sink.Through(wait, collect(&got)))
		require.NoError(t, err)
		time.AfterFunc(time.Second, func() { cancel(cause) })
		start := time.Now()
		_, err = p.Run(ctx)
		require.ErrorIs(t, err, cause)
		require.Equal(t, time.Second, time.Since(start))
	})
}

func TestASinkWithThroughCanBeRunAgainAndTwiceAtOnce(t *testing.T) {
	var mu sync.Mutex
	n := 0
	s := sink.Through(even, sink.Each(func(context.Context, int) error {
		mu.Lock()
		defer mu.Unlock()
		n++
		return nil
	}))
	for range 2 {
		_, err := run(t, ints(100), s)
		require.NoError(t, err)
	}
	_, err := run(t, ints(100), sink.Tee(s, s))
	require.NoError(t, err)
	require.Equal(t, 200, n)
}

func TestWhatIsWrongInsideThroughIsReportedByNew(t *testing.T) {
	bad := func(in rxcql.Stream[int]) rxcql.Stream[int] {
		return operators.MapConcurrent(in, 0, func(context.Context, int) (int, error) { return 0, nil })
	}
	_, err := rxcql.New(ints(1), sink.Through(bad, collect(new([]int))))
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.ErrorContains(t, err, "MapConcurrent")
	zero := func(rxcql.Stream[int]) rxcql.Stream[int] { return rxcql.Stream[int]{} }
	_, err = rxcql.New(ints(1), sink.Through(zero, collect(new([]int))))
	require.ErrorContains(t, err, "zero Stream")

	wrong := errors.New("wrong")
	checked := func(in rxcql.Stream[int]) rxcql.Stream[int] {
		info := rxcql.StageInfo{Name: "Checked", Check: func(context.Context) error { return wrong }}
		return rxcql.Lift(in, info, func(_ *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] { return out })
	}
	_, err = run(t, ints(1), sink.Through(checked, collect(new([]int))))
	require.ErrorIs(t, err, wrong)
	require.ErrorContains(t, err, "Checked")
}

func TestTheStreamOfThroughIsOfNoUseElsewhere(t *testing.T) {
	var leaked rxcql.Stream[int]
	sink.Through(func(in rxcql.Stream[int]) rxcql.Stream[int] { leaked = in; return in }, collect(new([]int)))
	_, err := leaked.Collect(context.Background())
	require.ErrorContains(t, err, "can only be run by that sink")

	twice := func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Merge(in, in) }
	_, err = run(t, ints(10), sink.Through(twice, collect(new([]int))))
	require.ErrorContains(t, err, "used only once")
}

func TestThroughMustUseTheStreamItIsGiven(t *testing.T) {
	to := sink.Through(func(rxcql.Stream[int]) rxcql.Stream[int] { return ints(2) }, sink.Each(func(context.Context, int) error { return nil }))
	_, err := rxcql.New(ints(1000), to)
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.ErrorContains(t, err, "does not use the stream")
}

func TestTheFunctionOfThroughBringsInNoOtherSource(t *testing.T) {
	other := operators.Map(ints(5), func(n int) (int, error) { return n, nil })
	fn := func(in rxcql.Stream[int]) rxcql.Stream[int] {
		return even(operators.Merge(in, other, source.Chan(make(chan int))))
	}
	to := sink.Through(fn, collect(new([]int)))
	for _, s := range []rxcql.Sink[int]{to, sink.Tee(collect(new([]int)), to)} {
		_, err := rxcql.New(ints(1000), s)
		require.ErrorIs(t, err, rxcql.ErrConfig)
		require.ErrorContains(t, err, "sink.Through: the function brings in another source: Seq")
		require.ErrorContains(t, err, "the function brings in another source: Chan")
	}
}

func ExampleThrough() {
	large := sink.Each(func(_ context.Context, n int) error {
		fmt.Println("large:", n)
		return nil
	})
	p, err := rxcql.New(ints(5), sink.Through(func(in rxcql.Stream[int]) rxcql.Stream[int] {
		return operators.Filter(in, func(n int) bool { return n > 2 })
	}, large))
	if err != nil {
		fmt.Println(err)
		return
	}
	report, err := p.Run(context.Background())
	fmt.Println(report.Filtered, "filtered,", err)
	// Output:
	// large: 3
	// large: 4
	// 3 filtered, <nil>
}
