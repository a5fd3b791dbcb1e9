package source_test

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/internal/saved"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// A job that is broken off in a partition of many rows goes on behind the last one that is settled,
// and reads no row before it again.
func TestAJobGoesOnInTheMiddleOfABucket(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		begin := time.Now()
		for id := range int64(2000) {
			s.put(id*2, begin.Add(time.Duration(id/7)*time.Second)) // of one shard, several at one time
		}
		time.Sleep(2 * time.Hour)
		var from []int64
		s.Control(func(r *cqlfake.Request) *cqlfake.Reply {
			if r.Reads("iot.raw") && len(r.PageState) == 0 {
				values := r.Statements[0].Values
				if binary.BigEndian.Uint32(values[1].Bytes) == 0 {
					from = append(from, int64(binary.BigEndian.Uint64(values[2].Bytes)))
				}
			}
			return nil
		})
		store := &jobtest.Store{}
		var got []int64
		for run := 0; ; run++ {
			require.Less(t, run, 1000)
			from = nil
			var p *rxcql.Pipeline
			n := 0
			tail := s.tail(source.TailFrom(begin), source.TailUntil(begin.Add(time.Hour)), source.PageRows(10))
			p, err := rxcql.New(tail, sink.Each(func(_ context.Context, row arrival) error {
				got = append(got, row.ID)
				if n++; n == 45 {
					p.Stop()
				}
				return nil
			}, sink.Idempotent(), sink.InFlight(1)), rxcql.WithCheckpoint(store, "job"))
			require.NoError(t, err)
			before := len(got)
			report, err := p.Run(t.Context())
			require.NoError(t, err)
			require.EqualValues(t, before, report.ResumedRows)
			if before > 0 && before < 2000 {
				require.Equal(t, begin.Add(time.Duration(got[before-1]/2/7)*time.Second).UnixMilli(), from[0])
			}
			if report.Complete {
				break
			}
		}
		var want []int64
		for id := range int64(2000) {
			want = append(want, id*2)
		}
		require.Equal(t, want, got)
	})
}

func TestAJobIsRefusedForOtherBuckets(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		store := &jobtest.Store{}
		run := func(buckets source.Buckets, opts ...source.TailOption) error {
			var p *rxcql.Pipeline
			p, err := rxcql.New(looking(source.Tail[arrival](s.session, "iot.raw", buckets, opts...), func(*flow.Page[arrival]) { p.Stop() }),
				sink.Each(func(context.Context, arrival) error { return nil }, sink.Idempotent()), rxcql.WithCheckpoint(store, "job"))
			require.NoError(t, err)
			_, err = p.Run(t.Context())
			return err
		}
		require.NoError(t, run(daily))
		require.NoError(t, run(daily, source.Overlap(time.Hour), source.PollEvery(time.Minute), source.Delay(time.Second), source.TailFrom(time.Now())), "options may change")
		more := daily
		more.Shards = 3
		require.ErrorIs(t, run(more), rxcql.ErrCheckpointForeign)
		weekly := daily
		weekly.Size = 7 * 24 * time.Hour
		require.ErrorIs(t, run(weekly), rxcql.ErrCheckpointForeign)
		state, err := store.State("job")
		require.NoError(t, err)
		require.NotEmpty(t, state.Sources[0].Parts)
		s.Exec("DROP TABLE iot.raw", "CREATE TABLE iot."+rawTable)
		require.ErrorIs(t, run(daily), rxcql.ErrCheckpointForeign)
	})
}

// A job that was killed before it had read a row goes on from when it began, not from now.
func TestWhatArrivesWhileAJobIsDownComes(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		store := &jobtest.Store{}
		run := func() *follower {
			return follow(t, s.tail(), rxcql.WithCheckpoint(store, "job"))
		}
		f := run()
		time.Sleep(5 * time.Second)
		saved := store.Get("job")
		f.stop(t)
		store.Put("job", saved) // as a kill leaves it
		time.Sleep(time.Second)
		for id := range int64(50) {
			s.put(id, time.Now())
			time.Sleep(20 * time.Minute)
		}
		f = run()
		time.Sleep(time.Second)
		require.Equal(t, upTo(50), f.ids())
		s.put(50, time.Now())
		time.Sleep(2 * time.Second)
		require.Equal(t, upTo(51), f.ids())
		f.stop(t)
	})
}

var errTailBroken = errors.New("broken on purpose")

// What the tail remembers of the overlap is let go of only when it reads on.
func TestATailThatHasNoRoomBesidesWindowsEndsWithAnErrorAndDoesNotWait(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		tail := source.Tail[arrivedAt](s.session, "iot.raw", daily, source.WallClock(s.wall), source.Overlap(2*time.Second))
		windows := operators.Window(operators.EventTime(tail, timeOfArrival), operators.Tumbling(24*time.Hour),
			func(row arrivedAt) time.Time { return row.At }, func(row arrivedAt) int64 { return row.ID },
			func() int { return 0 }, func(n int, _ arrivedAt) (int, error) { return n + 1, nil }, operators.WindowKeys(1<<20))
		p, err := rxcql.New(windows, sink.Each(func(context.Context, operators.WindowResult[int64, int]) error { return nil }, sink.Idempotent()),
			rxcql.WithBudget(256<<10))
		require.NoError(t, err)
		ctx, cancel := context.WithCancelCause(t.Context())
		done := make(chan error, 1)
		go func() {
			_, err := p.Run(ctx)
			done <- err
		}()
		for second := range int64(200) {
			for i := range int64(50) {
				s.put(second*50+i, time.Now())
			}
			time.Sleep(time.Second)
		}
		time.Sleep(time.Minute)
		cancel(errFollowed) // nothing more happens by itself
		var held *flow.BudgetHeldError
		require.ErrorAs(t, <-done, &held)
		require.Equal(t, "Window", held.Stage)
	})
}

// While windows hold a page, what pages behind it say of the position is in memory. So those of a
// quiet table seldom say anything.
func TestAQuietTailNotesItsPositionNowAndThen(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		var mu sync.Mutex
		states := map[string]bool{}
		store := &jobtest.Store{Saved: func(state *saved.State) error {
			mu.Lock()
			defer mu.Unlock()
			for _, source := range state.Sources {
				for _, part := range source.Parts {
					states[string(part.State)] = true
				}
			}
			return nil
		}}
		s.put(1, time.Now().Add(time.Second))
		f := follow(t, s.tail(source.PollEvery(100*time.Millisecond)), rxcql.WithCheckpoint(store, "job", rxcql.CheckpointInterval(50*time.Millisecond)))
		time.Sleep(10 * time.Minute)
		f.stop(t)
		require.Equal(t, []int64{1}, f.ids())
		mu.Lock()
		defer mu.Unlock()
		require.Greater(t, len(states), 50)
		require.Less(t, len(states), 65)
	})
}
