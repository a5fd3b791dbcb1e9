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

func TestACancelledRunReturnsTheCause(t *testing.T) {
	alone(t, "of a cancel in the middle, and the report", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		to := &memory[int]{}
		to.write = func(context.Context, *flow.Page[int]) error {
			if len(to.rows) == 50 {
				cancel(errTest)
			}
			return nil
		}
		rep, err := pipeline(t, source.Seq(endless, source.PageRows(10)), to).Run(ctx)
		require.Equal(t, errTest, err)
		require.False(t, rep.Complete)
		require.EqualValues(t, 60, rep.Written)
		require.EqualValues(t, 6, rep.PagesSettled)
		require.Zero(t, rep.BytesInFlight)
		require.Equal(t, 1, to.closed)
	})
	alone(t, "without one", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_, err := pipeline(t, source.Seq(endless), &memory[int]{}).Run(ctx)
		require.Equal(t, context.Canceled, err)
	})
	alone(t, "of a deadline, while it waits for rows", func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(context.Background(), time.Second, errTest)
		defer cancel()
		_, err := pipeline(t, source.Chan(make(chan int)), &memory[int]{}).Run(ctx)
		require.Equal(t, errTest, err)
	})
	alone(t, "of a plain deadline, while a page is half full", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		slow := source.Seq(func(yield func(int, error) bool) {
			for i := 0; yield(i, nil); i++ {
				time.Sleep(300 * time.Millisecond)
			}
		})
		rep, err := pipeline(t, slow, &memory[int]{}).Run(ctx)
		require.Equal(t, context.DeadlineExceeded, err)
		require.Zero(t, rep.BytesInFlight)
	})
	alone(t, "while it waits for the budget", func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(context.Background(), time.Second, errTest)
		defer cancel()
		in := keeping(source.Seq(endless), true)
		rep, err := pipeline(t, in, &memory[int]{}, rxcql.WithBudget(64*kib)).Run(ctx)
		require.Equal(t, errTest, err)
		require.Less(t, rep.PagesSettled, rep.Pages)
	})
	alone(t, "also when an error only echoes it", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		to := &memory[int]{write: func(ctx context.Context, _ *flow.Page[int]) error { cancel(errTest); return ctx.Err() }}
		_, err := pipeline(t, seq(30), to).Run(ctx)
		require.Equal(t, errTest, err)
	})
	alone(t, "but not when everything is durable already", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		to := &memory[int]{close: func() error { cancel(errTest); return nil }}
		rep, err := pipeline(t, seq(30), to).Run(ctx)
		require.NoError(t, err)
		require.True(t, rep.Complete)
	})
}

// slowWrites is a sink with one write in flight that takes so long, and which
// tells how the write ended.
func slowWrites(takes time.Duration) (*memory[int], *error) {
	to := &memory[int]{}
	ended := new(error)
	var writeCtx context.Context
	var writes *flow.Account
	done := make(chan struct{})
	to.open = func(ctx context.Context, st *rxcql.Stage) error {
		writeCtx, writes = ctx, st.Account(true)
		return nil
	}
	to.write = func(ctx context.Context, p *flow.Page[int]) error {
		l := writes.Reservation()
		l.Take(p.Reservation, p.Bytes())
		go func() {
			defer close(done)
			select {
			case <-time.After(takes):
				l.Settle()
			case <-writeCtx.Done():
				*ended = context.Cause(writeCtx)
				l.Release()
			}
		}()
		return nil
	}
	to.flush = func(ctx context.Context) error {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	to.close = func() error { <-done; return nil }
	return to, ended
}

func TestWritesInFlightHaveTheGracePeriod(t *testing.T) {
	run := func(t *testing.T, to rxcql.Sink[int], opts ...rxcql.Option) (rxcql.Report, time.Duration) {
		ctx, cancel := context.WithCancelCause(context.Background())
		var cancelled time.Time
		p := pipeline(t, seq(5), to, opts...)
		done := make(chan rxcql.Report)
		go func() {
			rep, err := p.Run(ctx)
			assert.Equal(t, errTest, err)
			done <- rep
		}()
		synctest.Wait()
		cancelled = time.Now()
		cancel(errTest)
		return <-done, time.Since(cancelled)
	}
	alone(t, "to finish", func(t *testing.T) {
		to, ended := slowWrites(8 * time.Second)
		rep, took := run(t, to)
		require.Equal(t, 8*time.Second, took)
		require.NoError(t, *ended)
		require.EqualValues(t, 1, rep.PagesSettled)
		require.False(t, rep.Complete)
	})
	alone(t, "and are abandoned after it", func(t *testing.T) {
		to, ended := slowWrites(time.Hour)
		rep, took := run(t, to)
		require.Equal(t, rxcql.DefaultGrace, took)
		require.Equal(t, errTest, *ended)
		require.Zero(t, rep.PagesSettled)
	})
	alone(t, "as long as it was set", func(t *testing.T) {
		to, _ := slowWrites(time.Hour)
		_, took := run(t, to, rxcql.WithGrace(3*time.Second))
		require.Equal(t, 3*time.Second, took)
	})
	alone(t, "or none", func(t *testing.T) {
		to, ended := slowWrites(time.Hour)
		_, took := run(t, to, rxcql.WithGrace(0))
		require.Zero(t, took)
		require.Equal(t, errTest, *ended)
	})
}
