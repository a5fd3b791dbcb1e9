package source_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/internal/saved"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// A store of checkpoints takes 4 MiB, and may take no more. Here as many rows are remembered as may
// be by default, all of them with their content, and twice: what is settled has the rows of one
// window, and what is read has those of the next.
func TestACheckpointOfATailThatIsFullFitsAStoreOf4MiB(t *testing.T) {
	const (
		store = 4 << 20
		ends  = rxcql.DefaultSessions * 60 // bytes, which windows might have needed in addition
		keys  = source.MostSeenInJob / 128
	)
	inTail(t, func(t *testing.T, s *tailed) {
		var largest, both atomic.Int64
		checkpoints := &jobtest.Store{Saved: func(state *saved.State) error {
			data, err := saved.Encode(state)
			if err != nil {
				return err
			}
			largest.Store(max(largest.Load(), int64(len(data))))
			for _, src := range state.Sources {
				for _, part := range src.Parts {
					both.Store(max(both.Load(), int64(min(len(part.State), len(part.ReadState)))))
				}
			}
			if len(data) > store-ends {
				return fmt.Errorf("the checkpoint has %d bytes, and the store takes %d", len(data), store-ends)
			}
			return nil
		}}
		tail := source.Tail[arrivedAt](s.session, "iot.raw", daily, source.WallClock(s.wall), source.Overlap(5*time.Second), source.Upserts())
		windows := operators.Window(operators.EventTime(tail, timeOfArrival), operators.Tumbling(8*time.Second),
			func(row arrivedAt) time.Time { return row.At }, func(arrivedAt) int { return 0 },
			func() int { return 0 }, func(n int, _ arrivedAt) (int, error) { return n + 1, nil }, operators.WindowKeys(10))
		given := 0
		p, err := rxcql.New(windows, sink.Each(func(_ context.Context, w operators.WindowResult[int, int]) error {
			given += w.Value
			return nil
		}, sink.Idempotent(), sink.InFlight(1)), rxcql.WithCheckpoint(checkpoints, "job", rxcql.CheckpointInterval(100*time.Millisecond)))
		require.NoError(t, err)
		done := make(chan error, 1)
		go func() {
			_, err := p.Run(t.Context())
			done <- err
		}()
		time.Sleep(8*time.Second + 500*time.Millisecond)
		for window := range 2 { // a window each, half of which nothing arrives in
			for part := range 4 {
				for i := range keys / 4 {
					s.put(int64((window*4+part)*keys/4+i), time.Now().Add(-time.Duration(i%500)*time.Millisecond))
				}
				time.Sleep(time.Second)
			}
			time.Sleep(4 * time.Second)
		}
		p.Stop()
		require.NoError(t, <-done)
		require.GreaterOrEqual(t, given, keys)
		require.Greater(t, both.Load(), int64(keys*24), "both were full, or the test tries nothing")
		t.Logf("the largest checkpoint had %d bytes", largest.Load())
	})
}
