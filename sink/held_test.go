package sink_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// started runs a pipeline in the background of a synctest bubble.
func started[T any](t *testing.T, in rxcql.Stream[T], out rxcql.Sink[T]) (*rxcql.Pipeline, <-chan error) {
	t.Helper()
	p, err := rxcql.New(in, out)
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() {
		_, err := p.Run(context.Background())
		ended <- err
	}()
	return p, ended
}

func TestABatchGoesAsSoonAsItHasItsRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := make(chan event, 250)
		for _, e := range partitions(1, 250) {
			ch <- e
		}
		server := &recorder{}
		_, ended := started(t, source.Chan(ch), sink.TableOn[event](server.send, events(), sink.BatchLinger(time.Minute)))
		time.Sleep(time.Second)
		require.Len(t, server.requests(), 2)
		require.Len(t, server.requests()[0].Rows, 100)
		require.Len(t, server.requests()[1].Rows, 100)
		close(ch)
		require.NoError(t, <-ended)
		require.Len(t, server.sent, 3)
	})
}

func TestNoMorePartitionsWaitThanTheBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := make(chan event, 500)
		for p := range sink.MaxOpen + 10 {
			ch <- event{P: int64(p)}
		}
		server := &recorder{}
		_, ended := started(t, source.Chan(ch), sink.TableOn[event](server.send, events(), sink.BatchLinger(time.Minute)))
		time.Sleep(time.Second)
		require.Len(t, server.requests(), 10)
		close(ch)
		require.NoError(t, <-ended)
	})
}

func TestTimeThatWriteTakesIsNotTakenForLingering(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &recorder{}
		rows := partitions(1, 100)
		in := source.Seq(func(yield func(event, error) bool) {
			for i, e := range rows {
				if i == 50 { // the second page
					time.Sleep(time.Millisecond)
				}
				yield(e, nil)
			}
		}, source.PageRows(50))
		slow := sink.TimestampOf(func(e event) int64 {
			if e.C == 49 {
				time.Sleep(time.Second)
			}
			return 1
		})
		_, err := run(t, in, sink.TableOn[event](server.send, events(), slow))
		require.NoError(t, err)
		require.Len(t, server.sent, 1)
	})
}

func TestAPageIsNotSettledWhileARowOfItWaitsOrIsInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := func(context.Context, sink.Sent) error {
			time.Sleep(10 * time.Second)
			return nil
		}
		ch := make(chan event)
		p, ended := started(t, source.Chan(ch), sink.TableOn[event](server, events(), sink.BatchLinger(10*time.Second)))
		ch <- event{P: 1} // page 1
		time.Sleep(time.Second)
		ch <- event{P: 1} // page 2, the same batch
		for range 17 {    // waiting, then in flight
			time.Sleep(time.Second)
			require.EqualValues(t, 2, p.Progress().Pages)
			require.Zero(t, p.Progress().PagesSettled)
			require.Positive(t, p.Progress().BytesInFlight)
		}
		time.Sleep(3 * time.Second)
		require.EqualValues(t, 2, p.Progress().PagesSettled)
		require.Zero(t, p.Progress().BytesInFlight)
		close(ch)
		require.NoError(t, <-ended)
	})
}

func TestAPageIsSettledWithItsLastCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p, ended := started(t, ints(100), sink.Each(func(_ context.Context, n int) error {
			time.Sleep(time.Duration(n) * time.Second)
			return nil
		}, sink.InFlight(200)))
		time.Sleep(98*time.Second + time.Second/2)
		require.Zero(t, p.Progress().PagesSettled)
		time.Sleep(time.Second)
		require.EqualValues(t, 1, p.Progress().PagesSettled)
		require.NoError(t, <-ended)
	})
}

func TestAPageWithAFailedCallIsNotSettledByThoseThatFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		rep, err := run(t, ints(100), sink.Each(func(_ context.Context, n int) error {
			time.Sleep(time.Duration(n) * time.Second)
			if n == 50 {
				return broken
			}
			return nil
		}, sink.InFlight(200)))
		require.ErrorIs(t, err, broken)
		require.EqualValues(t, 99, rep.Written)
		require.Zero(t, rep.PagesSettled)
		require.Zero(t, rep.BytesInFlight)
	})
}

func TestFlushReturnsWhenEverythingIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var written atomic.Int64
		server := func(_ context.Context, s sink.Sent) error {
			time.Sleep(time.Second)
			written.Add(int64(len(s.Rows)))
			return nil
		}
		probe := &flushed[event]{Sink: sink.TableOn[event](server, events())}
		probe.after = func() { require.EqualValues(t, 500, written.Load()) }
		_, err := run(t, sequence(partitions(5, 100)...), rxcql.Sink[event](probe))
		require.NoError(t, err)
		require.True(t, probe.called)

		written.Store(0)
		each := sink.Each(func(context.Context, event) error {
			time.Sleep(time.Second)
			written.Add(1)
			return nil
		}, sink.InFlight(1000))
		_, err = run(t, sequence(partitions(5, 100)...), rxcql.Sink[event](&flushed[event]{Sink: each, after: probe.after}))
		require.NoError(t, err)
	})
}

// flushed looks at what a Flush has left.
type flushed[T any] struct {
	rxcql.Sink[T]
	rxcql.Writer[T]
	after  func()
	called bool
}

func (f *flushed[T]) Open(ctx context.Context, r *rxcql.Execution) (rxcql.Writer[T], error) {
	w, err := f.Sink.Open(ctx, r)
	f.Writer = w
	return f, err
}

func (f *flushed[T]) Flush(ctx context.Context) error {
	err := f.Writer.Flush(ctx)
	f.called = true
	f.after()
	return err
}

func TestAnOperatorThatFailsInTheBackgroundEndsTheRunWithoutAnotherPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		fail := func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.MapConcurrent(in, 2, func(context.Context, int) (int, error) {
				time.Sleep(time.Second)
				return 0, broken
			})
		}
		ch := make(chan int, 1)
		ch <- 1
		_, ended := started(t, source.Chan(ch), sink.Through(fail, collect(new([]int))))
		require.ErrorIs(t, <-ended, broken)
	})
}

func TestAWriteThatFailsEndsTheRunWithoutAnotherPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		ch := make(chan event, 1)
		ch <- event{}
		server := func(context.Context, sink.Sent) error { return broken }
		_, ended := started(t, source.Chan(ch), sink.TableOn[event](server, events()))
		require.ErrorIs(t, <-ended, broken)
	})
}
