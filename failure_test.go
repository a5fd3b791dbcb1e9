package rxcql_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/source"
)

// place is where a user's function may fail; build puts fn there.
type place struct {
	name, stage string
	build       func(fn func() error) (rxcql.Stream[int], *memory[int])
}

var places = []place{
	{"source", "Seq", func(fn func() error) (rxcql.Stream[int], *memory[int]) {
		var rows iter.Seq2[int, error] = func(yield func(int, error) bool) {
			for i := range 25 {
				if !yield(i, nil) {
					return
				}
			}
			yield(0, fn())
		}
		return source.Seq(rows, source.PageRows(10)), &memory[int]{}
	}},
	{"operator", "Map", func(fn func() error) (rxcql.Stream[int], *memory[int]) {
		return onPage(seq(30), 2, fn), &memory[int]{}
	}},
	{"operator's end", "Map", func(fn func() error) (rxcql.Stream[int], *memory[int]) {
		in := rxcql.Lift(seq(30), rxcql.StageInfo{Name: "Map"}, func(_ *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
			return op[int, int]{next: out.Next, done: func(context.Context, bool) error { return fn() }}
		})
		return in, &memory[int]{}
	}},
	{"second operator of a name", "Map 2", func(fn func() error) (rxcql.Stream[int], *memory[int]) {
		return onPage(mapped(seq(30), func(i int) int { return i }), 2, fn), &memory[int]{}
	}},
	{"sink's Check", "Sink", func(fn func() error) (rxcql.Stream[int], *memory[int]) { return seq(30), &memory[int]{check: fn} }},
	{"sink's Open", "Memory", func(fn func() error) (rxcql.Stream[int], *memory[int]) {
		return seq(30), &memory[int]{open: func(context.Context, *rxcql.Stage) error { return fn() }}
	}},
	{"sink's Write", "Memory", func(fn func() error) (rxcql.Stream[int], *memory[int]) {
		in := mapped(seq(30), func(i int) int { return i })
		return in, &memory[int]{write: func(context.Context, *flow.Page[int]) error { return fn() }}
	}},
	{"sink's Flush", "Memory", func(fn func() error) (rxcql.Stream[int], *memory[int]) {
		return seq(30), &memory[int]{flush: func(context.Context) error { return fn() }}
	}},
	{"sink's Close", "Memory", func(fn func() error) (rxcql.Stream[int], *memory[int]) { return seq(30), &memory[int]{close: fn} }},
}

// onPage calls fn with the n-th page.
func onPage(in rxcql.Stream[int], n int, fn func() error) rxcql.Stream[int] {
	return rxcql.Lift(in, rxcql.StageInfo{Name: "Map"}, func(_ *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
		pages := 0
		return op[int, int]{done: out.Done, next: func(ctx context.Context, p *flow.Page[int]) error {
			if pages++; pages == n {
				if err := fn(); err != nil {
					return err
				}
			}
			return out.Next(ctx, p)
		}}
	})
}

func TestAnErrorOfAUserComesBackFrom(t *testing.T) {
	for _, at := range places {
		alone(t, "the "+at.name, func(t *testing.T) {
			in, to := at.build(func() error { return fmt.Errorf("wrapped: %w", errTest) })
			rep, err := pipeline(t, in, to).Run(context.Background())
			require.ErrorIs(t, err, errTest)
			require.NotErrorIs(t, err, rxcql.ErrPanic)
			require.False(t, rep.Complete)
			require.Empty(t, rep.EndedBy)
			require.Zero(t, rep.BytesInFlight)
			if at.name != "sink's Open" {
				require.Equal(t, to.opened, to.closed, "what was opened is closed once")
			}
		})
	}
}

func TestAPanicOfAUserBecomesAStageErrorOf(t *testing.T) {
	for _, at := range places {
		for _, value := range []any{errTest, "text", 42} {
			alone(t, fmt.Sprintf("the %s (%T)", at.name, value), func(t *testing.T) {
				in, to := at.build(func() error { panic(value) })
				rep, err := pipeline(t, in, to).Run(context.Background())
				require.ErrorIs(t, err, rxcql.ErrPanic)
				var stage *rxcql.StageError
				require.True(t, errors.As(err, &stage))
				require.Equal(t, at.stage, stage.Stage)
				require.Contains(t, string(stage.Stack), "failure_test.go")
				switch value {
				case errTest:
					require.ErrorIs(t, err, errTest)
					require.ErrorContains(t, err, "broken on purpose")
				case "text":
					require.ErrorContains(t, err, "stage "+at.stage+": panic: text")
				default:
					require.ErrorContains(t, err, "panic with a value of type int", "a value that may be a row is not shown")
				}
				require.False(t, rep.Complete)
				if at.name != "sink's Open" {
					require.Equal(t, to.opened, to.closed)
				}
			})
		}
	}
}

func TestAnErrorOfCloseIsAddedToTheOneBefore(t *testing.T) {
	closing := errors.New("close failed too")
	to := &memory[int]{
		write: func(context.Context, *flow.Page[int]) error { return errTest },
		close: func() error { return closing },
	}
	_, err := pipeline(t, seq(30), to).Run(context.Background())
	require.ErrorIs(t, err, errTest)
	require.ErrorIs(t, err, closing)
}

func TestAFailureInTheBackgroundEndsTheRun(t *testing.T) {
	alone(t, "although the source is idle", func(t *testing.T) {
		to := &memory[int]{open: func(_ context.Context, st *rxcql.Stage) error {
			go st.Run().Fail(errTest)
			return nil
		}}
		rep, err := pipeline(t, source.Chan(make(chan int)), to).Run(context.Background())
		require.Equal(t, errTest, err)
		require.False(t, rep.Complete)
		require.Equal(t, 1, to.closed)
	})
	alone(t, "and nil is no failure", func(t *testing.T) {
		to := &memory[int]{open: func(_ context.Context, st *rxcql.Stage) error { st.Run().Fail(nil); return nil }}
		rep, err := pipeline(t, seq(30), to).Run(context.Background())
		require.NoError(t, err)
		require.True(t, rep.Complete)
	})
}

func TestASinkThatOpensNothingIsAnError(t *testing.T) {
	_, err := pipeline(t, seq(3), rxcql.Sink[int](funcSink(func() {}))).Run(context.Background())
	require.ErrorContains(t, err, "Open returned no Writer")
}

func TestASinkIsClosedWhenTheGoroutineOfTheRunExits(t *testing.T) {
	alone(t, "in Write", func(t *testing.T) {
		to := &memory[int]{write: func(context.Context, *flow.Page[int]) error { runtime.Goexit(); return nil }}
		p := pipeline(t, seq(30), to)
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, _ = p.Run(context.Background())
		}()
		<-done
		require.Equal(t, 1, to.closed)
		to.write = nil
		_, err := p.Run(context.Background())
		require.NoError(t, err, "the pipeline is not running any more")
	})
}

func TestASourceThatPanicsLeavesNoBytes(t *testing.T) {
	rows := func(yield func(int, error) bool) {
		yield(1, nil)
		panic("half a page is gathered")
	}
	rep, err := source.Seq(rows).ForEach(context.Background(), func(int) error { return nil })
	require.ErrorIs(t, err, rxcql.ErrPanic)
	require.Zero(t, rep.BytesInFlight)
}

func TestRowsBeforeAnErrorOfTheIteratorAreDelivered(t *testing.T) {
	rows := func(yield func(int, error) bool) {
		_ = yield(0, nil) && yield(1, nil) && yield(0, errTest)
	}
	got, err := source.Seq(rows).Collect(context.Background())
	require.Equal(t, upTo(2), got)
	require.ErrorIs(t, err, errTest)
	require.ErrorContains(t, err, "stage Seq")

	got, err = onlyFirst(source.Seq(rows)).Collect(context.Background())
	require.NoError(t, err, "the stream had ended on purpose before the error")
	require.Equal(t, upTo(1), got)
}

// onlyFirst ends after one row without saying so beforehand.
func onlyFirst(in rxcql.Stream[int]) rxcql.Stream[int] {
	return rxcql.Lift(in, rxcql.StageInfo{Name: "First"}, func(st *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
		return op[int, int]{done: out.Done, next: func(ctx context.Context, p *flow.Page[int]) error {
			if err := errors.Join(out.Next(ctx, flow.Derive(p, p.Rows[:1])), out.Done(ctx, false)); err != nil {
				return err
			}
			return st.End()
		}}
	})
}
