package source_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

type timedArrival struct {
	ID int64     `cql:"id"`
	At time.Time `cql:"arrived"`
}

// quiet is a tail of a table to which nothing is written for a while.
type quiet struct {
	*tailed
	t    *testing.T
	mu   sync.Mutex
	seen quietSeen
}

// quietSeen is what came behind the event time of a quiet.
type quietSeen struct {
	watermark flow.Watermark
	idle      time.Time // as the latest poll that found nothing has said
	late      int
	rows      int
}

// inQuiet runs a tail whose part is idle after 10 s, with a bound of 10 s for late rows.
func inQuiet(t *testing.T, test func(q *quiet)) {
	inTail(t, func(t *testing.T, s *tailed) {
		q := &quiet{tailed: s, t: t}
		tail := source.Tail[timedArrival](s.session, "iot.raw", daily, source.Overlap(5*time.Second), source.WallClock(s.wall))
		event := operators.EventTime(tail, func(row timedArrival) (time.Time, error) { return row.At, nil },
			operators.OutOfOrderness(5*time.Second), operators.IdleAfter(10*time.Second))
		p, err := rxcql.New(looking(event, func(p *flow.Page[timedArrival]) {
			q.mu.Lock()
			defer q.mu.Unlock()
			for _, row := range p.Rows {
				q.seen.rows++
				if flow.WatermarkAt(row.At).Before(q.seen.watermark) {
					q.seen.late++
				}
			}
			if p.Idle.At().After(q.seen.idle) {
				q.seen.idle = p.Idle.At()
			}
			q.seen.watermark = p.Watermark
		}), sink.Each(func(context.Context, timedArrival) error { return nil }, sink.Idempotent()))
		require.NoError(t, err)
		done := make(chan error, 1)
		go func() {
			_, err := p.Run(context.Background())
			done <- err
		}()
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Equal(t, 10*time.Second, q.behind(), "it goes on by the clock")
		test(q)
		synctest.Wait()
		require.Equal(t, 1, q.soFar().rows)
		require.Zero(t, q.soFar().late)
		time.Sleep(30 * time.Second)
		synctest.Wait()
		require.Equal(t, 10*time.Second, q.behind(), "it goes on again")
		p.Stop()
		require.NoError(t, <-done)
	})
}

func (q *quiet) soFar() quietSeen {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.seen
}

// behind is how far the watermark is behind the clock of the test.
func (q *quiet) behind() time.Duration {
	return time.Since(q.soFar().watermark.Time()).Truncate(time.Second)
}

// Writers could not write either, and do so when the servers are back: not all of them before the
// tail polls again. That nothing was there for so long says nothing.
func TestNothingIsLateBecauseServersWereAway(t *testing.T) {
	inQuiet(t, func(q *quiet) {
		happened := time.Now().Add(time.Second)
		<-q.away(45 * time.Second)
		q.poll()
		time.Sleep(3 * time.Second)
		q.putInto(time.Now(), 1, happened, "")
		time.Sleep(2 * time.Second)
	})
}

// What comes between two outages is a poll or two, and no time to write in.
func TestNothingIsLateBecauseServersWereAwayAgainAndAgain(t *testing.T) {
	for name, outages := range map[string][]time.Duration{
		"two alike":         {45 * time.Second, 45 * time.Second},
		"a shorter one":     {45 * time.Second, 40 * time.Second},
		"a longer one":      {30 * time.Second, 50 * time.Second},
		"four in a row":     {30 * time.Second, 40 * time.Second, 35 * time.Second, 50 * time.Second},
		"nine alike":        slices.Repeat([]time.Duration{45 * time.Second}, 9),
		"seven that shrink": {50 * time.Second, 47 * time.Second, 44 * time.Second, 41 * time.Second, 38 * time.Second, 35 * time.Second, 32 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			inQuiet(t, func(q *quiet) {
				up := q.away(outages...)
				<-up
				happened := time.Now().Add(-outages[len(outages)-1] / 2)
				q.poll() // the one that the last outage was in the way of
				q.poll()
				time.Sleep(500 * time.Millisecond)
				q.putInto(time.Now(), 1, happened, "")
				time.Sleep(2 * time.Second)
			})
		})
	}
}

// away lets no read of the table through, and then one poll, and again. It closes up at the end of
// the last outage.
func (q *quiet) away(outages ...time.Duration) (up <-chan struct{}) {
	over := make(chan struct{})
	begin, idle := time.Now(), q.soFar().idle
	ended := false
	var mu sync.Mutex
	q.Control(func(r *cqlfake.Request) *cqlfake.Reply {
		mu.Lock()
		defer mu.Unlock()
		if !r.Reads("iot.raw") || len(outages) == 0 {
			return nil
		}
		if ended && q.soFar().idle.After(idle) { // this is of the next poll
			begin, idle, ended, outages = time.Now(), q.soFar().idle, false, outages[1:]
		}
		if len(outages) > 0 && time.Since(begin) < outages[0] {
			return cqlfake.Fail(&message.Overloaded{ErrorMessage: "busy"})
		}
		if ended = true; len(outages) == 1 {
			outages = nil
			close(over)
		}
		return nil
	})
	return over
}

// poll waits for one poll more.
func (q *quiet) poll() {
	before := q.soFar().idle
	for range 10_000 {
		if q.soFar().idle.After(before) {
			return
		}
		time.Sleep(10 * time.Millisecond)
		synctest.Wait()
	}
	require.Fail(q.t, "it polls no more")
}

// What the clocks say of a moment must not count as the time for which nothing was there.
func TestNothingIsLateBecauseAllClocksJumpForwardAndBack(t *testing.T) {
	inQuiet(t, func(q *quiet) {
		q.jump(time.Hour, time.Hour)
		time.Sleep(5 * time.Second)
		q.jump(0, 0)
		time.Sleep(3 * time.Second)
		q.put(1, time.Now())
		time.Sleep(2 * time.Second)
	})
}

func TestNothingIsLateBecauseAllClocksJumpAgainAndAgain(t *testing.T) {
	inQuiet(t, func(q *quiet) {
		for range 3 {
			q.jump(time.Hour, time.Hour)
			time.Sleep(time.Second)
			q.jump(0, 0)
			time.Sleep(time.Second)
		}
		time.Sleep(time.Second)
		q.put(1, time.Now())
		time.Sleep(2 * time.Second)
	})
}
