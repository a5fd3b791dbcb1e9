package rxcql_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/source"
)

func TestBuildingAndNewDoNothing(t *testing.T) {
	pulled, started := 0, 0
	in := source.Seq(numbers(10, &pulled))
	lifted := rxcql.Lift(in, rxcql.StageInfo{Name: "Op"}, func(_ *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
		started++
		return out
	})
	to := &memory[int]{check: func() error { started++; return nil }}
	p := pipeline(t, mapped(lifted, func(i int) int { return i }), to)
	_ = lifted.All(context.Background())
	_ = lifted.Observable(context.Background())
	require.Zero(t, pulled)
	require.Zero(t, started)
	require.Zero(t, to.opened)
	require.Equal(t, rxcql.Report{}, p.Progress())
	p.Stop() // nothing runs
	require.NoError(t, p.Check(context.Background()))
	require.Zero(t, pulled)
	require.Zero(t, to.opened)
}

func TestReadingDoesNotRunAheadOfASink(t *testing.T) {
	alone(t, "that does not accept", func(t *testing.T) {
		pulled := 0
		to := &memory[int]{write: func(ctx context.Context, _ *flow.Page[int]) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}}
		ctx, cancel := context.WithCancelCause(context.Background())
		done := make(chan error)
		p := pipeline(t, source.Seq(numbers(1<<30, &pulled), source.PageRows(10)), to)
		go func() { _, err := p.Run(ctx); done <- err }()
		synctest.Wait()
		require.Equal(t, 10, pulled)
		cancel(errTest)
		require.ErrorIs(t, <-done, errTest)
	})
	alone(t, "whose writes in flight do not end", func(t *testing.T) {
		var writes *flow.Account
		pulled, reservations, durable := 0, []*flow.Reservation(nil), make(chan struct{})
		to := &memory[int]{
			open:  func(_ context.Context, st *rxcql.Stage) error { writes = st.Account(true); return nil },
			flush: func(context.Context) error { <-durable; return nil },
			write: func(_ context.Context, p *flow.Page[int]) error {
				l := writes.Reservation()
				l.Take(p.Reservation, p.Bytes())
				reservations = append(reservations, l)
				return nil
			},
		}
		p := pipeline(t, source.Seq(numbers(50_000, &pulled), source.PageRows(100)), to, rxcql.WithBudget(64*kib))
		done := make(chan error)
		var rep rxcql.Report
		go func() {
			var err error
			rep, err = p.Run(context.Background())
			done <- err
		}()
		synctest.Wait()
		require.LessOrEqual(t, int64(pulled)*8, 64*kib)
		require.GreaterOrEqual(t, int64(pulled)*8, 32*kib)
		for i := 0; i < len(reservations); i++ { // the writes end, one after the other
			reservations[i].Settle()
			synctest.Wait()
		}
		close(durable)
		require.NoError(t, <-done)
		require.True(t, rep.Complete)
		require.Equal(t, 50_000, pulled)
		require.LessOrEqual(t, rep.PeakBytes, rep.Budget+int64(rep.PeakFetches)*rep.LargestPage)
	})
}

func TestALimitFromDownstreamReachesTheSource(t *testing.T) {
	t.Run("so that Seq pulls no row too many", func(t *testing.T) {
		pulled := 0
		rows, err := take(mapped(source.Seq(numbers(1000, &pulled)), func(i int) int { return i }), 7).Collect(context.Background())
		require.NoError(t, err)
		require.Equal(t, upTo(7), rows)
		require.Equal(t, 7, pulled)
	})
	t.Run("so that Chan takes no row too many", func(t *testing.T) {
		ch := make(chan int, 100)
		for i := range 100 {
			ch <- i
		}
		rows, err := take(source.Chan(ch), 7).Collect(context.Background())
		require.NoError(t, err)
		require.Equal(t, upTo(7), rows)
		require.Len(t, ch, 93)
	})
	t.Run("but not through an operator that changes the number of rows", func(t *testing.T) {
		var limit int64
		in := rxcql.NewStream(rxcql.StageInfo{Name: "Limit", Source: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
			defer st.Input().Done()
			limit = flow.DemandOf(out)
			return out.Done(ctx, false)
		})
		for oneToOne, want := range map[bool]int64{true: 7, false: 0} {
			info := rxcql.StageInfo{Name: "Op", OneToOne: oneToOne}
			passing := rxcql.Lift(in, info, func(_ *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
				return op[int, int]{next: out.Next, done: out.Done}
			})
			_, err := take(passing, 7).Count(context.Background())
			require.NoError(t, err)
			require.Equal(t, want, limit)
		}
	})
}
