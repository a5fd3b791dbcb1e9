package source_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
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

// arrivedAt is a row of iot.raw with its time, which is that of its event too.
type arrivedAt struct {
	ID int64     `cql:"id"`
	At time.Time `cql:"arrived"`
}

func timeOfArrival(row arrivedAt) (time.Time, error) { return row.At, nil }

// Each poll of a quiet table moves the edges of its partitions, which is told in pages too. Where
// an answer takes longer than the overlap it may be an outage: the watermark is up to four polls
// behind. So it is not where a poll takes long since there are many partitions.
func TestAQuietTableIsIdleHoweverSeldomItIsAskedAndHoweverLongAPollTakes(t *testing.T) {
	for name, c := range map[string]struct {
		every, takes time.Duration
		shards       int
		behind       time.Duration
	}{
		"asked now and then":     {5 * time.Second, 0, 2, 5 * time.Second},
		"a poll takes its time":  {time.Second, 2 * time.Second, 2, 25 * time.Second},
		"longer than it is idle": {time.Second, 40 * time.Second, 2, 2*6*40*time.Second + time.Second},
		"many partitions":        {time.Second, time.Second, 30, 61 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inTail(t, func(t *testing.T, s *tailed) {
				s.Control(func(r *cqlfake.Request) *cqlfake.Reply {
					if r.Reads("iot.raw") {
						time.Sleep(c.takes)
					}
					return nil
				})
				buckets := daily
				buckets.Shards = c.shards
				tail := source.Tail[arrivedAt](s.session, "iot.raw", buckets, source.WallClock(s.wall), source.Overlap(20*time.Second), source.PollEvery(c.every))
				var mark flow.Watermark
				event := operators.EventTime(tail, timeOfArrival, operators.IdleAfter(30*time.Second))
				p, err := rxcql.New(looking(event, func(p *flow.Page[arrivedAt]) { mark = p.Watermark }),
					sink.Each(func(context.Context, arrivedAt) error { return nil }, sink.Idempotent()))
				require.NoError(t, err)
				done := make(chan error)
				go func() {
					_, err := p.Run(context.Background())
					done <- err
				}()
				time.Sleep(30 * time.Minute)
				now := time.Now()
				p.Stop()
				require.NoError(t, <-done)
				require.True(t, mark.Known())
				require.WithinRange(t, mark.Time(), now.Add(-20*time.Second-c.behind), now.Add(-20*time.Second))
			})
		})
	}
}

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

func TestATailThatIsReadAgainMissesNothingThatHasArrivedMeanwhile(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		var failed atomic.Bool
		rows := operators.Map(s.tail(source.Overlap(20*time.Second)), func(row arrival) (arrival, error) {
			if row.ID == 3 && !failed.Swap(true) {
				return row, errors.New("this may pass")
			}
			return row, nil
		})
		f := follow(t, operators.Retry(rows, operators.RetryIf(func(error) bool { return true }), operators.RetryDelay(time.Hour, time.Hour)))
		time.Sleep(10 * time.Second)
		for id := range int64(100) {
			s.put(id, time.Now())
			time.Sleep(time.Minute)
		}
		time.Sleep(2 * time.Hour)
		got := map[int64]bool{}
		for _, id := range f.ids() {
			got[id] = true
		}
		require.Len(t, got, 100)
		f.stop(t)
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
