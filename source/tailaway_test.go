package source_test

import (
	"context"
	"sync"
	"sync/atomic"
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
	mu   sync.Mutex
	seen quietSeen
}

// quietSeen is what came behind the event time of a quiet.
type quietSeen struct {
	watermark flow.Watermark
	polls     int // that found nothing
	late      int
	rows      int
}

// inQuiet runs a tail whose part is idle after 10 s, with a bound of 10 s for late rows.
func inQuiet(t *testing.T, test func(q *quiet)) {
	inTail(t, func(t *testing.T, s *tailed) {
		q := &quiet{tailed: s}
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
			if !p.IdleAt.IsZero() {
				q.seen.polls++
			}
			q.seen.watermark = p.Watermark
		}), sink.Each(func(context.Context, timedArrival) error { return nil }, sink.Idempotent()))
		require.NoError(t, err)
		done := make(chan error)
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
		var down atomic.Bool
		q.Control(func(r *cqlfake.Request) *cqlfake.Reply {
			if down.Load() && r.Reads("iot.raw") {
				return cqlfake.Fail(&message.Overloaded{ErrorMessage: "busy"})
			}
			return nil
		})
		down.Store(true)
		happened := time.Now().Add(time.Second)
		time.Sleep(45 * time.Second)
		down.Store(false)
		for before := q.soFar().polls; q.soFar().polls == before; synctest.Wait() {
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(3 * time.Second)
		q.putInto(time.Now(), 1, happened, "")
		time.Sleep(2 * time.Second)
	})
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
