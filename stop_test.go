package rxcql_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/source"
)

// stopAfter runs the pipeline, stops it after a while and returns its report.
func stopAfter(t *testing.T, p *rxcql.Pipeline, d time.Duration) rxcql.Report {
	t.Helper()
	go func() {
		time.Sleep(d)
		p.Stop()
		p.Stop() // once is enough
	}()
	rep, err := p.Run(context.Background())
	require.NoError(t, err)
	require.False(t, rep.Complete)
	require.Equal(t, "Stop", rep.EndedBy)
	require.Equal(t, rep.Pages, rep.PagesSettled)
	require.Zero(t, rep.BytesInFlight)
	require.Zero(t, rep.RangesDone)
	return rep
}

func TestStopDrainsWhatHasBeenRead(t *testing.T) {
	slowly := func(given *int) rxcql.Stream[int] {
		return source.Seq(func(yield func(int, error) bool) {
			for i := 0; ; i++ {
				time.Sleep(100 * time.Millisecond)
				*given++
				if !yield(i, nil) {
					return
				}
			}
		}, source.PageRows(4))
	}
	alone(t, "of an iterator, the row in its hand included", func(t *testing.T) {
		given, stops := 0, []bool(nil)
		in := rxcql.Lift(slowly(&given), rxcql.StageInfo{Name: "Op"}, func(_ *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
			return op[int, int]{next: out.Next, done: func(ctx context.Context, stopped bool) error {
				stops = append(stops, stopped)
				return out.Done(ctx, stopped)
			}}
		})
		to := &memory[int]{}
		rep := stopAfter(t, pipeline(t, in, to), 1050*time.Millisecond)
		require.Equal(t, upTo(given), to.got())
		require.EqualValues(t, given, rep.Written)
		require.Equal(t, []bool{true}, stops)
		require.Equal(t, 1, to.closed)
	})
	alone(t, "of a channel that is idle", func(t *testing.T) {
		ch := make(chan int, 3)
		ch <- 0
		ch <- 1
		to := &memory[int]{}
		stopAfter(t, pipeline(t, source.Chan(ch), to), time.Second)
		require.Equal(t, upTo(2), to.got())
	})
	alone(t, "of a channel that is busy, and leaves the rest in it", func(t *testing.T) {
		ch := make(chan int, 1000)
		for i := range 1000 {
			ch <- i
		}
		to := &memory[int]{write: func(context.Context, *flow.Page[int]) error { time.Sleep(time.Second); return nil }}
		stopAfter(t, pipeline(t, source.Chan(ch, source.PageRows(10)), to), 2500*time.Millisecond)
		require.Len(t, ch, 1000-len(to.got()))
		require.Equal(t, upTo(30), to.got())
	})
	alone(t, "when it waits for the budget, once there is room", func(t *testing.T) {
		var writes *flow.Account
		given := 0
		to := &memory[int]{
			open: func(_ context.Context, st *rxcql.Stage) error { writes = st.Account(true); return nil },
			write: func(_ context.Context, p *flow.Page[int]) error {
				l := writes.Reservation()
				l.Take(p.Reservation, p.Bytes())
				go func() { time.Sleep(time.Minute); l.Settle() }()
				return nil
			},
			flush: func(context.Context) error { time.Sleep(time.Hour); return nil },
		}
		in := source.Seq(numbers(1<<30, &given), source.PageRows(1000))
		rep := stopAfter(t, pipeline(t, in, to, rxcql.WithBudget(64*kib)), time.Second)
		require.Equal(t, upTo(given), to.got())
		require.LessOrEqual(t, rep.PeakBytes, rep.Budget+int64(rep.PeakFetches)*rep.LargestPage)
	})
	alone(t, "of an Observable that has nothing to say", func(t *testing.T) {
		obs, end := manual()
		defer end()
		to := &memory[int]{}
		p := pipeline(t, source.FromObservable[int](obs), to)
		done := make(chan rxcql.Report)
		go func() {
			rep, err := p.Run(context.Background())
			assert.NoError(t, err)
			done <- rep
		}()
		synctest.Wait()
		p.Stop()
		require.Equal(t, "Stop", (<-done).EndedBy)
	})
	alone(t, "and leaves open what was given up because it was not whole", func(t *testing.T) {
		ch := make(chan int, 1)
		ch <- 1
		in := rxcql.Lift(source.Chan(ch), rxcql.StageInfo{Name: "Group"}, func(st *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
			kept := st.Account(false).Reservation()
			return op[int, int]{
				next: func(_ context.Context, p *flow.Page[int]) error { kept.Take(p.Reservation, p.Bytes()); return nil },
				done: func(ctx context.Context, stopped bool) error {
					require.True(t, stopped)
					st.Abandon(kept)
					return out.Done(ctx, stopped)
				},
			}
		})
		p := pipeline(t, in, &memory[int]{})
		go func() { time.Sleep(time.Second); p.Stop() }()
		rep, err := p.Run(context.Background())
		require.NoError(t, err)
		require.False(t, rep.Complete)
		require.EqualValues(t, 1, rep.Pages)
		require.Zero(t, rep.PagesSettled)
		require.Zero(t, rep.BytesInFlight)
	})
	alone(t, "and after it an error is still an error", func(t *testing.T) {
		p := pipeline(t, source.Chan(make(chan int)), &memory[int]{flush: func(context.Context) error { return errTest }})
		go func() { time.Sleep(time.Second); p.Stop() }()
		_, err := p.Run(context.Background())
		require.ErrorIs(t, err, errTest)
	})
}
