package source_test

import (
	"context"
	"fmt"
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

// pastMinutes fills iot.past with a row a minute up to now, numbered from 0.
func pastMinutes(s *tailed, n int64) {
	for id := range n {
		s.Exec(fmt.Sprintf("INSERT INTO iot.past (id, v) VALUES (%d, '%s')", id, textOf(time.Now().Add(-time.Duration(n-id)*time.Minute))))
	}
}

// thenTail gives the past, a row a second, and then what has arrived since.
func thenTail(s *tailed, since time.Time) rxcql.Stream[arrival] {
	past := operators.Tap(source.Table[arrival](s.session, "iot.past", source.PageRows(5)), func(arrival) error {
		time.Sleep(time.Second)
		return nil
	})
	return operators.Concat(past, s.tail(source.TailFrom(since), source.Overlap(20*time.Second)))
}

// The tail holds event time back while the past is read, since it has rows to come: so no window
// closes before, and the past is held as a whole. Then none of its rows is late, whatever their
// order, and each is counted once, also where the job is killed in the middle of the past.
func TestThePastAndThenATailAreCountedOnceAndNoWindowClosesBeforeTheTailHasBegun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTailed(t, "past (id bigint PRIMARY KEY, v text)")
		const past = 60
		pastMinutes(s, past)
		since := time.Now()
		job := newCounting(time.Minute, 30*time.Second)
		arrived := map[int64]time.Time{}
		write := func(seconds int) {
			for range seconds {
				now, id := time.Now(), int64(1000+len(arrived))
				arrived[id] = now
				s.putInto(now, id, now, textOf(now))
				time.Sleep(time.Second)
			}
		}
		all := func() int { job.mu.Lock(); defer job.mu.Unlock(); return len(job.table) }
		for range 2 {
			kill := job.start(t, thenTail(s, since))
			write(past / 2)
			require.Zero(t, all(), "the tail has not begun")
			kill()
			write(10)
		}
		job.start(t, thenTail(s, since))
		write(past * 4)
		require.Empty(t, job.lateRows())
		for row := range int64(past) {
			at := since.Add(-time.Duration(past-row) * time.Minute)
			require.Equal(t, []int64{row}, job.in(at), "row %d of the past", row)
		}
		for row, at := range arrived {
			if time.Since(at) > 2*time.Minute { // its window has closed
				require.Equal(t, 1, count(job.in(at), row), "row %d, that has arrived since", row)
			}
		}
	})
}

// A tail that finds nothing says so, and IdleAfter closes the windows of the past.
func TestWindowsOfThePastCloseThoughNothingArrivesSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTailed(t, "past (id bigint PRIMARY KEY, v text)")
		pastMinutes(s, 60)
		timed := operators.EventTime(thenTail(s, time.Now()), happened, operators.IdleAfter(30*time.Second))
		windows := operators.Window(timed, operators.Tumbling(time.Minute), whenHappened,
			func(arrival) int { return 0 }, func() int { return 0 },
			func(n int, _ arrival) (int, error) { return n + 1, nil }, operators.WindowKeys(100))
		var given atomic.Int64
		p, err := rxcql.New(windows, sink.Each(func(_ context.Context, w operators.WindowResult[int, int]) error {
			given.Add(int64(w.Value))
			return nil
		}, sink.Idempotent(), sink.InFlight(1)))
		require.NoError(t, err)
		done := make(chan error, 1)
		go func() {
			_, err := p.Run(t.Context())
			done <- err
		}()
		time.Sleep(61 * time.Second) // the past has been read
		require.Zero(t, given.Load())
		time.Sleep(2 * time.Minute)
		require.EqualValues(t, 60, given.Load())
		p.Stop()
		require.NoError(t, <-done)
	})
}
