package rxcql_test

import (
	"context"
	"iter"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/source"
)

// behind reads in in a goroutine of its own and delivers in the caller's: what
// an asynchronous operator does, and where goroutines could be left.
func behind(in rxcql.Stream[int]) rxcql.Stream[int] {
	return rxcql.NewStream(rxcql.StageInfo{Name: "Behind"}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) (err error) {
		group, groupCtx := st.TaskGroup(ctx)
		pages, used := make(chan *flow.Page[int]), make(chan struct{})
		defer func() {
			group.Cancel(err) // so that upstream knows an end on purpose from a failure
			if waited := group.Wait(); err == nil {
				err = waited
			}
		}()
		group.Go(func() error {
			defer close(pages)
			return in.Subscribe(groupCtx, st, op[int, int]{
				done: func(context.Context, bool) error { return nil },
				next: func(ctx context.Context, p *flow.Page[int]) error {
					select {
					case pages <- p:
					case <-ctx.Done():
						return context.Cause(ctx)
					}
					select {
					case <-used:
						return nil
					case <-ctx.Done():
						return context.Cause(ctx)
					}
				},
			})
		})
		for p := range pages {
			if err := out.Next(ctx, p); err != nil {
				return err
			}
			used <- struct{}{}
		}
		if err := group.Wait(); err != nil {
			return err
		}
		return out.Done(ctx, false)
	}, in)
}

// streams are the ways to have the numbers below n.
var streams = map[string]func(n int) rxcql.Stream[int]{
	"a plain stream":         seq,
	"an operator":            func(n int) rxcql.Stream[int] { return mapped(seq(n), func(i int) int { return i }) },
	"an asynchronous stream": func(n int) rxcql.Stream[int] { return behind(seq(n)) },
	"an Observable": func(n int) rxcql.Stream[int] {
		return source.FromObservable[int](rxgoOf(n))
	},
}

func everyStream(t *testing.T, fn func(t *testing.T, in func(n int) rxcql.Stream[int])) {
	for name, in := range streams {
		alone(t, name, func(t *testing.T) { fn(t, in) })
	}
}

func TestReadingAStreamGivesAllRowsInOrder(t *testing.T) {
	everyStream(t, func(t *testing.T, in func(int) rxcql.Stream[int]) {
		ctx := context.Background()
		stream := in(1234)
		for range 2 { // cold: each run reads afresh
			var rows []int
			for row, err := range stream.All(ctx) {
				require.NoError(t, err)
				rows = append(rows, row)
			}
			require.Equal(t, upTo(1234), rows)
		}
		rows, err := stream.Collect(ctx)
		require.NoError(t, err)
		require.Equal(t, upTo(1234), rows)
		n, err := stream.Count(ctx)
		require.NoError(t, err)
		require.EqualValues(t, 1234, n)
		rows = nil
		rep, err := stream.ForEach(ctx, func(row int) error { rows = append(rows, row); return nil })
		require.NoError(t, err)
		require.Equal(t, upTo(1234), rows)
		require.True(t, rep.Complete)
		require.EqualValues(t, 1234, rep.ReadRows)
	})
}

func TestLeavingALoopLeavesNothing(t *testing.T) {
	everyStream(t, func(t *testing.T, in func(int) rxcql.Stream[int]) {
		var rows []int
		for row, err := range in(1000).All(context.Background()) {
			require.NoError(t, err)
			if rows = append(rows, row); len(rows) == 25 {
				break
			}
		}
		require.Equal(t, upTo(25), rows)
	})
}

func TestAPanicInALoopReachesTheCallerUnchanged(t *testing.T) {
	type private struct{ n int }
	everyStream(t, func(t *testing.T, in func(int) rxcql.Stream[int]) {
		require.PanicsWithValue(t, private{5}, func() {
			for row := range in(1000).All(context.Background()) {
				if row == 5 {
					panic(private{row})
				}
			}
		})
		require.PanicsWithValue(t, private{15}, func() {
			_, _ = in(1000).ForEach(context.Background(), func(row int) error {
				if row == 15 {
					panic(private{row})
				}
				return nil
			})
		})
	})
}

func TestExitingTheGoroutineInALoopLeavesNothing(t *testing.T) {
	everyStream(t, func(t *testing.T, in func(int) rxcql.Stream[int]) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			for range in(1000).All(context.Background()) {
				runtime.Goexit() // as t.FailNow does
			}
		}()
		<-done
	})
}

func TestAnErrorComesLastAndOnce(t *testing.T) {
	alone(t, "from a source", func(t *testing.T) {
		in := source.Seq(func(yield func(int, error) bool) { _ = yield(7, nil) && yield(8, errTest) && yield(9, nil) })
		var rows []int
		var errs []error
		for row, err := range in.All(context.Background()) {
			rows, errs = append(rows, row), append(errs, err)
		}
		require.Equal(t, []int{7, 0}, rows)
		require.NoError(t, errs[0])
		require.ErrorIs(t, errs[1], errTest)
	})
	alone(t, "from ForEach's function, as it is", func(t *testing.T) {
		seen := 0
		_, err := seq(100).ForEach(context.Background(), func(int) error { seen++; return errTest })
		require.Equal(t, errTest, err)
		require.Equal(t, 1, seen)
	})
	alone(t, "from a context, with its cause", func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(context.Background(), time.Second, errTest)
		defer cancel()
		_, err := source.Chan(make(chan int)).Count(ctx)
		require.Equal(t, errTest, err)
	})
	alone(t, "from a stage's check, before anything is read", func(t *testing.T) {
		pulled := 0
		in := rxcql.Lift(source.Seq(numbers(9, &pulled)), rxcql.StageInfo{Name: "Op", Check: func(context.Context) error { panic(errTest) }},
			func(_ *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] { return out })
		_, err := in.Collect(context.Background())
		require.ErrorIs(t, err, errTest)
		require.ErrorIs(t, err, rxcql.ErrPanic)
		require.Zero(t, pulled)
	})
}

func TestLoopsNest(t *testing.T) {
	alone(t, "and a break leaves the inner one only", func(t *testing.T) {
		stream, pairs := behind(seq(30)), 0
		for a := range stream.All(context.Background()) {
			for b := range stream.All(context.Background()) {
				if b > a {
					break
				}
				pairs++
			}
		}
		require.Equal(t, 30*31/2, pairs)
	})
	alone(t, "also as a source of another", func(t *testing.T) {
		for row := range source.Seq(behind(seq(100)).All(context.Background())).All(context.Background()) {
			if row == 50 {
				break
			}
		}
	})
	alone(t, "and can be pulled", func(t *testing.T) {
		next, stop := iter.Pull2(behind(seq(100)).All(context.Background()))
		for i := range 15 {
			row, err, ok := next()
			require.True(t, ok)
			require.NoError(t, err)
			require.Equal(t, i, row)
		}
		stop()
		_, _, ok := next()
		require.False(t, ok)
	})
}

func TestALoopThatWasLeftIsNotEnteredAgain(t *testing.T) {
	stubborn := rxcql.Lift(seq(100), rxcql.StageInfo{Name: "Stubborn"}, func(_ *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
		return op[int, int]{done: out.Done, next: func(ctx context.Context, p *flow.Page[int]) error {
			_ = out.Next(ctx, p) // an operator that does not heed the error
			return nil
		}}
	})
	n := 0
	for range stubborn.All(context.Background()) {
		if n++; n == 3 {
			break
		}
	}
	require.Equal(t, 3, n)
}
