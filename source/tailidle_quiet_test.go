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

// One of several servers has a clock that is behind by more than the overlap. Polls ask one and
// then another. No row is missed by that, and a quiet table is idle.
func TestAQuietTableIsIdleThoughOneServersClockIsBehind(t *testing.T) {
	for _, servers := range []int{2, 3} {
		for _, behind := range []time.Duration{4 * time.Second, 6 * time.Second, time.Minute} {
			t.Run(strconv.Itoa(servers)+" "+behind.String(), func(t *testing.T) {
				inTrouble(t, 10*time.Second, nil, func(t *testing.T, f *troubled) {
					for i := range 600 {
						f.jump(0, 0)
						if i%servers == 0 {
							f.jump(0, -behind)
						}
						f.nextPage() // of one poll
					}
					_, _, mark := f.seen()
					if assert.True(t, mark.Known(), "in ten minutes it is never idle") {
						assert.Less(t, time.Since(mark.Time()), behind+5*time.Minute)
					}
				})
			})
		}
	}
}

// One of two servers has a clock that is behind, all the time: within IdleAfter that is noted more
// often than a log has room for.
func TestAQuietTableIsIdleHoweverLongIdleAfterIs(t *testing.T) {
	const idle, every = 10 * time.Minute, 100 * time.Millisecond
	inTrouble(t, idle, []source.TailOption{source.PollEvery(every)}, func(t *testing.T, f *troubled) {
		for i := range int(2 * idle / every) {
			f.jump(0, 0)
			if i%2 == 0 {
				f.jump(0, -6*time.Second)
			}
			time.Sleep(every)
		}
		_, _, mark := f.seen()
		if assert.True(t, mark.Known(), "in twenty minutes it is never idle") {
			assert.Less(t, time.Since(mark.Time()), idle+time.Minute)
		}
	})
}

// Every request is slow, and one of two servers has a clock that is behind.
func TestAQuietTableIsIdleWhereEachPollIsSlowAndOneServersClockIsBehind(t *testing.T) {
	for _, behind := range []time.Duration{0, 4 * time.Second, 6 * time.Second, time.Minute} {
		t.Run(behind.String(), func(t *testing.T) {
			inTrouble(t, 10*time.Second, nil, func(t *testing.T, f *troubled) {
				f.slowed(func(r *cqlfake.Request) time.Duration {
					if ofTable(r) && shardOf(r) == 1 {
						return 8 * time.Second
					}
					return 0
				})
				for i := range 150 {
					f.jump(0, 0)
					if i%2 == 0 {
						f.jump(0, -behind)
					}
					f.nextPage()
				}
				_, _, mark := f.seen()
				if assert.True(t, mark.Known(), "in twenty minutes it is never idle") {
					assert.Less(t, time.Since(mark.Time()), 5*time.Minute)
				}
			})
		})
	}
}

// Each answer about the clock takes 8 s. The server looks at its clock at the beginning of that or
// at its end, in turn. All clocks are right, and nothing fails.
func TestAQuietTableIsIdleWhereTheClockIsToldSlowly(t *testing.T) {
	for _, turns := range []int{1, 2} {
		inTrouble(t, 10*time.Second, nil, func(t *testing.T, f *troubled) {
			var asked *cqlfake.Request
			n := 0
			f.match = func(r *cqlfake.Request) bool { asked = r; return ofClock(r) }
			f.fails = func() *cqlfake.Reply {
				if n++; n%turns == 0 {
					return f.tellsTime(asked).After(8 * time.Second)
				}
				time.Sleep(8 * time.Second)
				return f.tellsTime(asked)
			}
			f.down.Store(true)
			time.Sleep(time.Hour)
			_, _, mark := f.seen()
			if assert.True(t, mark.Known(), "%d: in an hour it is never idle", turns) {
				assert.Less(t, time.Since(mark.Time()), 5*time.Minute)
			}
		})
	}
}

// A request fails once in each poll, and then it succeeds: a node is flaky, or sheds load. Answers
// of the kind are further apart than the overlap, as polls are seldom, or long, or a sink stalls.
func TestAQuietTableIsIdleThoughARequestFailsInEachPoll(t *testing.T) {
	for name, c := range map[string]struct {
		every, takes, stalls time.Duration
		shards               int
	}{
		"each second":     {every: time.Second, shards: 2},
		"near an overlap": {every: 5 * time.Second, shards: 2},
		"seldom":          {every: time.Minute, shards: 2},
		"many partitions": {every: time.Second, takes: 100 * time.Millisecond, shards: 60},
		"a sink stalls":   {every: time.Second, stalls: 6 * time.Second, shards: 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newTroubled(t)
				f.shards = c.shards
				f.slowed(func(r *cqlfake.Request) time.Duration {
					if ofTable(r) && shardOf(r) != 1 {
						return c.takes
					}
					return 0
				})
				f.stall.Store(int64(c.stalls))
				defer f.start(t, time.Minute, []source.TailOption{source.PollEvery(c.every)})()
				f.flaky()
				time.Sleep(time.Hour)
				_, _, mark := f.seen()
				if assert.True(t, mark.Known(), "in an hour it is never idle") {
					// Where some of the polls wait for longer than the overlap, the others are the good time.
					poll := c.every + c.stalls + time.Duration(c.shards)*c.takes
					assert.Less(t, time.Since(mark.Time()), 5*(time.Minute+poll)+7*poll)
				}
			})
		})
	}
}
