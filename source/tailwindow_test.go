package source_test

import (
	"context"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// A tail goes by the time of arrival. So a row of yesterday that arrives today is given, and is
// late to the windows, which tell of it. When nothing arrives any more the last window closes.
func TestADeviceThatWasOfflineForADayIsLateAndNotLost(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		happenedAt := func(a arrival) (time.Time, error) {
			ms, err := strconv.ParseInt(a.V, 10, 64)
			return time.UnixMilli(ms), err
		}
		timed := operators.EventTime(s.tail(source.Overlap(20*time.Second)), happenedAt,
			operators.OutOfOrderness(30*time.Second), operators.MaxAhead(time.Minute), operators.IdleAfter(30*time.Second))
		var late []int64
		windows := operators.Window(timed, operators.Tumbling(time.Minute), func(a arrival) time.Time { at, _ := happenedAt(a); return at },
			func(arrival) int { return 0 }, func() int { return 0 }, func(n int, _ arrival) (int, error) { return n + 1, nil },
			operators.WindowKeys(100), operators.LateRows(func(a arrival) error { late = append(late, a.ID); return nil }))
		closed := 0
		p, err := rxcql.New(windows, into(func(r operators.WindowResult[int, int]) error { closed += r.Value; return nil }))
		require.NoError(t, err)
		type end struct {
			rep rxcql.Report
			err error
		}
		done := make(chan end)
		go func() {
			rep, err := p.Run(context.Background())
			done <- end{rep, err}
		}()
		write := func(id int64, happened time.Time) {
			now := time.Now()
			s.putInto(now, id, now, strconv.FormatInt(happened.UnixMilli(), 10))
		}
		const rows = 180
		time.Sleep(time.Second) // the tail has begun
		for id := range int64(rows) {
			write(id, time.Now())
			time.Sleep(time.Second)
		}
		write(1000, time.Now().Add(-24*time.Hour))
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		require.Equal(t, []int64{1000}, late)
		require.Equal(t, rows, closed, "the last window too")
		p.Stop()
		ended := <-done
		require.NoError(t, ended.err)
		require.EqualValues(t, 1, ended.rep.LateRows)
	})
}

// One row takes an hour to be written, and so many pages wait behind it that the tail may not read
// on. It asks for nothing meanwhile, so nothing is idle, though nothing comes.
func TestNothingIsLateBecauseSoManyPagesWaitThatNothingMayBeRead(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		type timed struct {
			ID int64     `cql:"id"`
			At time.Time `cql:"arrived"`
		}
		tail := source.Tail[timed](s.session, "iot.raw", daily, source.Overlap(20*time.Second), source.WallClock(s.wall))
		event := operators.EventTime(tail, func(row timed) (time.Time, error) { return row.At, nil },
			operators.OutOfOrderness(20*time.Second), operators.IdleAfter(10*time.Second))
		rows, watermark := 0, flow.Watermark{}
		stuck := make(chan struct{})
		p, err := rxcql.New(looking(event, func(p *flow.Page[timed]) {
			for _, row := range p.Rows {
				rows++
				assert.False(t, flow.WatermarkAt(row.At).Before(watermark), "row %d of %v is late at %v: %v", row.ID, row.At, time.Now(), watermark)
			}
			watermark = p.Watermark
		}), sink.Each(func(_ context.Context, row timed) error {
			if row.ID == 0 {
				<-stuck
			}
			return nil
		}, sink.Idempotent(), sink.InFlight(1000)), rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
		require.NoError(t, err)
		done := make(chan error)
		go func() {
			_, err := p.Run(context.Background())
			done <- err
		}()
		time.Sleep(time.Second)
		const all = 600
		for id := range int64(all) {
			s.put(id, time.Now())
			time.Sleep(time.Second)
		}
		time.Sleep(50 * time.Minute)
		synctest.Wait()
		require.Less(t, rows, 100, "or the test tries nothing")
		s.put(all, time.Now())
		close(stuck)
		time.Sleep(10 * time.Minute)
		p.Stop()
		require.NoError(t, <-done)
		require.Equal(t, all+1, rows)
	})
}
