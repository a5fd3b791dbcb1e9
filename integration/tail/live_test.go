package tail_test

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// Polls are counted, and no time is measured: so it does not matter how fast the machine is.
func TestANewRowOfARealTableComesWithTheNextPoll(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	createTicks(t, session, ks+".polled", "")
	daily := slots
	daily.Size, daily.Shards = 24*time.Hour, 1
	var requests atomic.Int64
	hooks := rxcql.Hooks{FetchStart: func(ctx context.Context, _ rxcql.FetchEvent) context.Context {
		requests.Add(1)
		return ctx
	}}
	came := make(chan int64)
	p, err := rxcql.New(source.Tail[tick](session, ks+".polled", daily, source.TailFrom(time.Now().Add(-time.Minute)),
		source.Overlap(overlap), source.PollEvery(500*time.Millisecond)),
		sink.Each(func(context.Context, tick) error { came <- requests.Load(); return nil }, sink.Idempotent(), sink.InFlight(1)),
		rxcql.WithHooks(hooks))
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() {
		_, err := p.Run(t.Context())
		done <- err
	}()
	for id := range 10 {
		now := time.Now()
		require.NoError(t, session.Query("INSERT INTO "+ks+".polled (slot, shard, arrived, id) VALUES (?, 0, ?, ?)",
			now.UTC().Truncate(24*time.Hour).Unix(), now, id).Exec())
		written := requests.Load()
		select {
		case at := <-came:
			// The next poll is a request, or two about midnight; one more may begin before the row is here.
			require.LessOrEqual(t, at-written, int64(4), "row %d", id)
		case <-time.After(patience):
			require.Fail(t, "the row does not come")
		}
	}
	p.Stop()
	require.NoError(t, <-done)
}

// A window closes because nothing comes any more. Its result is not taken for longer than IdleAfter
// and all that the watermark stays behind, and rows are written meanwhile. They come in small
// pages, since the watermark is said behind a page: so the first rows would make the others late,
// if event time went on by the silence before them.
func TestNoRowOfARealTableIsLateBecauseASinkStallsForLongerThanIdleAfter(t *testing.T) {
	const idleAfter, again, outOfOrder, stalled = 20 * time.Millisecond, 4 * time.Second, time.Second, 8 * time.Second
	session, ks := cassandra.Keyspace(t, cluster)
	require.NoError(t, session.Query("CREATE TABLE "+ks+".stalled (slot bigint, shard int, arrived timestamp, id bigint, "+
		"PRIMARY KEY ((slot, shard), arrived, id))").Exec())
	put := func(id int64, arrived time.Time) {
		require.NoError(t, session.Query("INSERT INTO "+ks+".stalled (slot, shard, arrived, id) VALUES (?, ?, ?, ?)",
			slotOf(arrived), id%shards, arrived, id).Exec())
	}
	type timed struct {
		ID int64     `cql:"id"`
		At time.Time `cql:"arrived"`
	}
	begin := time.Now().Add(-time.Minute).Truncate(time.Second)
	const past, now = int64(300), int64(100)
	for id := range past {
		put(id, begin.Add(time.Duration(id)*time.Millisecond))
	}
	tail := source.Tail[timed](session, ks+".stalled", slots, source.TailFrom(begin), source.Overlap(again), source.PollEvery(10*time.Millisecond), source.PageRows(5))
	event := operators.EventTime(tail, func(row timed) (time.Time, error) { return row.At, nil },
		operators.OutOfOrderness(outOfOrder), operators.IdleAfter(idleAfter))
	var p *rxcql.Pipeline
	var came atomic.Int64
	comes := func(rows int) { // in a window, or late
		if came.Add(int64(rows)) == past+now {
			p.Stop()
		}
	}
	windows := operators.Window(event, operators.Tumbling(time.Second), func(row timed) time.Time { return row.At },
		func(timed) int { return 0 }, func() []int64 { return nil },
		func(ids []int64, row timed) ([]int64, error) { return append(ids, row.ID), nil }, operators.WindowKeys(1000),
		operators.LateRows(func(timed) error { comes(1); return nil }))
	stalls, goesOn := make(chan struct{}), make(chan struct{})
	var stall sync.Once
	var ids []int64
	stalling := operators.Tap(windows, func(operators.WindowResult[int, []int64]) error { // a sink would take one more
		stall.Do(func() { close(stalls); <-goesOn })
		return nil
	})
	p, err := rxcql.New(stalling, sink.Each(func(_ context.Context, w operators.WindowResult[int, []int64]) error {
		ids = append(ids, w.Value...)
		comes(len(w.Value))
		return nil
	}, sink.Idempotent(), sink.InFlight(1)))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	type end struct {
		report rxcql.Report
		err    error
	}
	done := make(chan end, 1)
	go func() {
		report, err := p.Run(ctx)
		done <- end{report, err}
	}()
	<-stalls
	for id := past; id < past+now; id++ {
		put(id, time.Now())
		time.Sleep(stalled / time.Duration(now))
	}
	close(goesOn)
	ended := <-done
	require.NoError(t, ended.err)
	require.Zero(t, ended.report.LateRows)
	slices.Sort(ids)
	require.Len(t, slices.Compact(ids), int(past+now))
}
