package sink_test

import (
	"context"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestABatchHasRowsOfOnePartitionWithinBothBounds(t *testing.T) {
	rows := partitions(5, 250)
	for i := range rows {
		rows[i].V = strings.Repeat("x", 10+i%7*300)
	}
	server := &recorder{}
	rep, err := run(t, sequence(rows...), sink.TableOn[event](server.send, events(), sink.BatchRows(40), sink.BatchBytes(16<<10)))
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.EqualValues(t, len(rows), rep.Written)

	seen := map[event]bool{}
	byRows, byBytes := false, false
	for _, s := range server.sent {
		require.LessOrEqual(t, len(s.Rows), 40)
		bytes := 0
		for _, r := range s.Rows {
			require.Equal(t, s.Rows[0].Values[0], r.Values[0], "a batch of two partitions")
			bytes += len(r.Values[0].([]byte)) + len(r.Values[1].([]byte)) + len(r.Values[2].([]byte))
			e := event{int64(r.Values[0].([]byte)[7]), int32(r.Values[1].([]byte)[3]), ""}
			require.False(t, seen[e], "a row was sent twice")
			seen[e] = true
		}
		require.LessOrEqual(t, bytes, 16<<10)
		byRows = byRows || len(s.Rows) == 40
		byBytes = byBytes || bytes > 14<<10
	}
	require.Len(t, seen, len(rows))
	require.True(t, byBytes)
	require.False(t, byRows, "these rows reach the bytes first")
}

func TestAnOversizedRowGoesAlone(t *testing.T) {
	rows := partitions(1, 9)
	rows[4].V = strings.Repeat("x", 5000)
	server := &recorder{}
	_, err := run(t, sequence(rows...), sink.TableOn[event](server.send, events(), sink.BatchBytes(1024)))
	require.NoError(t, err)
	sizes := map[int]int{}
	for _, s := range server.sent {
		sizes[len(s.Rows)]++
		for _, r := range s.Rows {
			if len(r.Values[2].([]byte)) == 5000 {
				require.Len(t, s.Rows, 1)
			}
		}
	}
	require.Equal(t, map[int]int{4: 2, 1: 1}, sizes)
}

func TestInterleavedPartitionsStillMakeFullBatches(t *testing.T) {
	var rows []event
	for c := range 100 {
		for p := range 30 {
			rows = append(rows, event{int64(p), int32(c), "v"})
		}
	}
	server := &recorder{}
	_, err := run(t, sequence(rows...), sink.TableOn[event](server.send, events(), sink.BatchLinger(time.Minute)))
	require.NoError(t, err)
	require.Len(t, server.sent, 30)
}

func TestOpenBatchesAreBoundedAndTheOldestGoesFirst(t *testing.T) {
	var rows []event
	for p := range sink.MaxOpen + 10 {
		rows = append(rows, event{P: int64(p)})
	}
	var first []int64
	var calls atomic.Int64
	server := func(_ context.Context, s sink.Sent) error {
		if n := calls.Add(1); n <= 10 {
			first = append(first, int64(s.Rows[0].Values[0].([]byte)[7])) // one in flight: no race
		}
		return nil
	}
	_, err := run(t, sequence(rows...), sink.TableOn[event](server, events(), sink.InFlight(1), sink.BatchLinger(time.Minute)))
	require.NoError(t, err)
	require.Equal(t, []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, first)
}

func TestABatchThatIsNotFullGoesAfterTheLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var after []time.Duration
		server := func(context.Context, sink.Sent) error {
			after = append(after, time.Since(start))
			return nil
		}
		ch := make(chan event)
		go func() {
			ch <- event{P: 1}
			time.Sleep(time.Second)
			ch <- event{P: 2}
			time.Sleep(time.Second)
			close(ch)
		}()
		_, err := run(t, source.Chan(ch), sink.TableOn[event](server, events(), sink.InFlight(1)))
		require.NoError(t, err)
		require.Equal(t, []time.Duration{5 * time.Millisecond, time.Second + 5*time.Millisecond}, after)
	})
}

func TestInFlightBoundsTheRequestsAndTheMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, peak atomic.Int64
		server := func(ctx context.Context, _ sink.Sent) error {
			peak.Store(max(peak.Load(), now.Add(1)))
			defer now.Add(-1)
			time.Sleep(time.Second)
			return nil
		}
		rows := partitions(2000, 10)
		rep, err := run(t, sequence(rows...), sink.TableOn[event](server, events(), sink.InFlight(7), sink.BatchRows(10)),
			rxcql.WithBudget(1<<20))
		require.NoError(t, err)
		require.EqualValues(t, 7, peak.Load())
		require.LessOrEqual(t, rep.PeakBytes, rep.Budget+int64(rep.PeakFetches)*rep.LargestPage+1<<18)
		require.Zero(t, rep.BytesInFlight)
	})
}

func TestEveryRowsTimestampIsLaterThanTheOneBefore(t *testing.T) {
	rows := make([]event, 1000) // all one row
	server := &recorder{}
	before := time.Now().UnixMicro()
	_, err := run(t, sequence(rows...), sink.TableOn[event](server.send, events()))
	require.NoError(t, err)
	var all []int64
	for _, r := range server.rows() {
		all = append(all, r.Timestamp)
	}
	slices.Sort(all)
	require.Len(t, slices.Compact(all), 1000)
	require.Greater(t, all[0], before)
	require.EqualValues(t, 999, all[999]-all[0])
}
