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
	"github.com/rxcql/rxcql/sink"
)

func TestMoreIsTakenOnThanIsWorkedOnAndTheOneWhoWaitsIsWokenOnceForMany(t *testing.T) {
	for workers, queued := range map[int]int{1: 1, 7: 7, 64: 64, 256: 256, 1000: 256} {
		f := sink.NewFlight(workers)
		for range workers {
			require.True(t, f.HasWorker())
		}
		require.False(t, f.HasWorker(), "a batch that lingers goes on growing")
		require.Equal(t, queued, f.TakeOn())
		left := queued - queued/2 - 1
		require.False(t, f.Finish(left), "%d of %d that wait are gone", left, queued)
		require.True(t, f.Finish(1))
		require.Equal(t, left+1, f.TakeOn())
		require.True(t, f.Finish(workers+queued), "whoever waits for the end")
	}
}

func TestWhatWaitsWhenTheRunEndsIsNotBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var calls atomic.Int64
		server := func(context.Context, sink.Sent) error {
			calls.Add(1)
			time.Sleep(10 * time.Second)
			return nil
		}
		ctx, cancel := context.WithCancelCause(context.Background())
		why := errors.New("enough")
		time.AfterFunc(time.Second, func() { cancel(why) })
		p, err := rxcql.New(sequence(partitions(100, 1)...), sink.TableOn[event](server, events(), sink.InFlight(4), sink.BatchRows(1)))
		require.NoError(t, err)
		rep, err := p.Run(ctx)
		require.ErrorIs(t, err, why)
		require.EqualValues(t, 4, calls.Load())
		require.EqualValues(t, 4, rep.Written)
		require.Zero(t, rep.Unknown)
		require.Zero(t, rep.BytesInFlight)
	})
}
