package rxcql_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/source"
)

func TestARunWithoutAnErrorHasReadAndSettledEverything(t *testing.T) {
	alone(t, "and is complete", func(t *testing.T) {
		to := &memory[int]{}
		p := pipeline(t, mapped(seq(95), func(i int) int { return i }), to)
		rep, err := p.Run(context.Background())
		require.NoError(t, err)
		require.True(t, rep.Complete)
		require.Empty(t, rep.EndedBy)
		require.Equal(t, upTo(95), to.got())
		require.Equal(t, 1, to.closed)
		require.EqualValues(t, []int64{1, 1, 10, 10, 95, 95}, []int64{rep.Ranges, rep.RangesDone, rep.Pages, rep.PagesSettled, rep.ReadRows, rep.Written})
		require.Equal(t, []rxcql.StageReport{{Name: "Seq", Out: 95}, {Name: "Map", In: 95, Out: 95}, {Name: "Memory", In: 95, Out: 95}}, rep.Stages)
		require.Zero(t, rep.BytesInFlight)
		require.Equal(t, rep, p.Progress(), "the last run's report stays")
		time.Sleep(time.Hour)
		require.Equal(t, rep, p.Progress())
	})
	alone(t, "or was ended on purpose, by the stage that it names", func(t *testing.T) {
		to := &memory[int]{}
		rep, err := pipeline(t, take(seq(95), 25), to).Run(context.Background())
		require.NoError(t, err)
		require.False(t, rep.Complete)
		require.Equal(t, "Take", rep.EndedBy)
		require.Equal(t, upTo(25), to.got())
		require.Equal(t, rep.Pages, rep.PagesSettled)
		require.Zero(t, rep.BytesInFlight)
	})
	alone(t, "also of an empty stream, which has one page, the last", func(t *testing.T) {
		var last []bool
		to := &memory[int]{write: func(_ context.Context, p *flow.Page[int]) error { last = append(last, p.Last); return nil }}
		rep, err := pipeline(t, seq(0), to).Run(context.Background())
		require.NoError(t, err)
		require.True(t, rep.Complete)
		require.EqualValues(t, 1, rep.EmptyPages)
		require.Equal(t, []bool{true}, last)
	})
	alone(t, "and runs again from the start", func(t *testing.T) {
		to := &memory[int]{}
		p := pipeline(t, take(seq(95), 5), to)
		for range 3 {
			to.rows = nil
			_, err := p.Run(context.Background())
			require.NoError(t, err)
			require.Equal(t, upTo(5), to.got())
		}
		require.Equal(t, 3, to.opened)
		require.Equal(t, 3, to.closed)
	})
	alone(t, "but a source of a single run refuses the second", func(t *testing.T) {
		ch := make(chan int)
		close(ch)
		p := pipeline(t, source.Chan(ch), &memory[int]{})
		_, err := p.Run(context.Background())
		require.NoError(t, err)
		_, err = p.Run(context.Background())
		require.ErrorIs(t, err, rxcql.ErrSingleRun)
	})
}

func TestARunWhileOneRunsIsRefused(t *testing.T) {
	alone(t, "and leaves the first alone", func(t *testing.T) {
		ch := make(chan int)
		p := pipeline(t, source.Chan(ch), &memory[int]{})
		done := make(chan error)
		go func() { _, err := p.Run(context.Background()); done <- err }()
		synctest.Wait()
		_, err := p.Run(context.Background())
		require.ErrorIs(t, err, rxcql.ErrRunning)
		close(ch)
		require.NoError(t, <-done)
	})
}

func TestALostReceiptIsFoundOut(t *testing.T) {
	alone(t, "when a sink keeps rows and forgets them", func(t *testing.T) {
		var acc *flow.Account
		to := &memory[int]{
			open:  func(_ context.Context, st *rxcql.Stage) error { acc = st.Account(true); return nil },
			write: func(_ context.Context, p *flow.Page[int]) error { acc.Reservation().Take(p.Reservation, 1); return nil },
		}
		rep, err := pipeline(t, seq(30), to).Run(context.Background())
		require.ErrorIs(t, err, rxcql.ErrUnsettled)
		require.False(t, rep.Complete)
		require.EqualValues(t, 4, rep.Pages)
		require.Zero(t, rep.PagesSettled)
	})
	alone(t, "also without a pipeline", func(t *testing.T) {
		lost := rxcql.Lift(seq(30), rxcql.StageInfo{Name: "Loses"}, func(st *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
			acc := st.Account(false)
			return op[int, int]{done: out.Done, next: func(_ context.Context, p *flow.Page[int]) error {
				acc.Reservation().Take(p.Reservation, 1)
				return nil
			}}
		})
		_, err := lost.Count(context.Background())
		require.ErrorIs(t, err, rxcql.ErrUnsettled)
	})
	alone(t, "and a failure in the background that the sink does not return", func(t *testing.T) {
		to := &memory[int]{open: func(_ context.Context, st *rxcql.Stage) error {
			st.Run().Fail(errTest)
			st.Run().Fail(errors.New("second"))
			return nil
		}}
		rep, err := pipeline(t, seq(30), to).Run(context.Background())
		require.Equal(t, errTest, err)
		require.False(t, rep.Complete)
	})
	alone(t, "even when it comes after the last row", func(t *testing.T) {
		to := &memory[int]{}
		var st *rxcql.Stage
		to.open = func(_ context.Context, s *rxcql.Stage) error { st = s; return nil }
		to.flush = func(context.Context) error { st.Run().Fail(errTest); return nil }
		rep, err := pipeline(t, seq(30), to).Run(context.Background())
		require.Equal(t, errTest, err)
		require.False(t, rep.Complete)
	})
}

func TestProgressIsConsistentFromManyGoroutines(t *testing.T) {
	in := source.Seq(numbers(20_000, nil), source.PageRows(3))
	p := pipeline(t, mapped(in, func(i int) int { return i }), &memory[int]{})
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for ctx.Err() == nil {
				rep := p.Progress()
				if rep.PagesSettled > rep.Pages || rep.EmptyPages > rep.Pages || rep.RangesDone > rep.Ranges || rep.Written > rep.ReadRows {
					t.Errorf("a part is larger than the whole: %+v", rep)
					return
				}
				_ = rep.String()
			}
		})
	}
	_, err := p.Run(context.Background())
	cancel()
	wg.Wait()
	require.NoError(t, err)
}

func TestRunIsNewAndRun(t *testing.T) {
	to := &memory[int]{}
	rep, err := rxcql.Run(t.Context(), seq(30), to, rxcql.WithWorkers(2))
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.Equal(t, upTo(30), to.got())

	rep, err = rxcql.Run(t.Context(), seq(30), &memory[int]{config: errTest}, rxcql.WithWorkers(0))
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.ErrorIs(t, err, errTest)
	require.ErrorContains(t, err, "WithWorkers(0)")
	require.Zero(t, rep)

	_, err = rxcql.Run(t.Context(), seq(30), rxcql.Sink[int](&memory[int]{check: func() error { return errTest }}))
	require.ErrorIs(t, err, errTest)
}
