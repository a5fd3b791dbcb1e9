package source_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// seenPage is a page, and when it came.
type seenPage struct {
	rows     int
	idle, at time.Time
}

// looking calls look with each page, before it goes on.
func looking[T any](in rxcql.Stream[T], look func(p *flow.Page[T])) rxcql.Stream[T] {
	return rxcql.Lift(in, rxcql.StageInfo{Name: "Looking", OneToOne: true}, func(_ *rxcql.Stage, out flow.Observer[T]) flow.Observer[T] {
		return &looker[T]{Observer: out, look: look}
	})
}

type looker[T any] struct {
	flow.Observer[T]
	look func(p *flow.Page[T])
}

func (l *looker[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	l.look(p)
	return l.Observer.Next(ctx, p)
}

func TestAPartIsIdleByAPollThatSucceededAndFoundNothing(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		var pages []seenPage
		var down atomic.Bool
		s.Control(func(r *cqlfake.Request) *cqlfake.Reply {
			if down.Load() && r.Reads("iot.raw") {
				return cqlfake.Fail(&message.Overloaded{ErrorMessage: "busy"})
			}
			return nil
		})
		f := follow(t, looking(s.tail(source.Overlap(20*time.Second)), func(p *flow.Page[arrival]) {
			assert.Equal(t, 20*time.Second, p.Source.Overlap())
			n, known := p.Source.Parts()
			assert.True(t, known)
			assert.Equal(t, 1, n)
			pages = append(pages, seenPage{rows: len(p.Rows), idle: p.Idle.At(), at: time.Now()})
		}))
		take := func() []seenPage { synctest.Wait(); all := pages; pages = nil; return all }
		time.Sleep(500 * time.Millisecond)
		s.put(1, time.Now())
		time.Sleep(3 * time.Second)
		all := take()
		require.Len(t, all, 5)
		require.True(t, all[0].idle.IsZero(), "it says where the tail begins")
		for i, page := range all[1:] {
			require.Equal(t, i == 1, page.rows == 1)
			require.Equal(t, page.rows == 0, !page.idle.IsZero())
			if page.rows == 0 {
				require.True(t, page.at.Equal(page.idle), "requests take no time here")
			}
		}
		down.Store(true)
		time.Sleep(10 * time.Second)
		require.Empty(t, take(), "nobody knows whether there are rows")
		down.Store(false)
		time.Sleep(30 * time.Second)
		require.NotEmpty(t, take())
		f.stop(t)
	})
}

// A sink that stalls for longer than IdleAfter: rows go on being written, and none of them is
// behind a watermark when it comes.
func TestNothingIsLateBecauseASinkStalls(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		type timed struct {
			ID int64     `cql:"id"`
			At time.Time `cql:"arrived"`
		}
		tail := source.Tail[timed](s.session, "iot.raw", daily, source.Overlap(20*time.Second), source.PageRows(5), source.WallClock(s.wall))
		event := operators.EventTime(tail, func(row timed) (time.Time, error) { return row.At, nil },
			operators.OutOfOrderness(20*time.Second), operators.IdleAfter(10*time.Second))
		watermark := flow.Watermark{}
		rows, idled := 0, false
		stall := 0
		p, err := rxcql.New(looking(event, func(p *flow.Page[timed]) {
			for _, row := range p.Rows {
				rows++
				assert.False(t, flow.WatermarkAt(row.At).Before(watermark), "row %d of %v is late at %v: %v", row.ID, row.At, time.Now(), watermark)
			}
			assert.False(t, p.Watermark.Before(watermark))
			idled = idled || len(p.Rows) == 0 && watermark.Before(p.Watermark) && p.Idle.At().Sub(p.Watermark.Time()) == 40*time.Second
			watermark = p.Watermark
			if stall++; stall%20 == 0 {
				time.Sleep(5 * time.Minute)
			}
		}), sink.Each(func(context.Context, timed) error { return nil }, sink.Idempotent()))
		require.NoError(t, err)
		done := make(chan error)
		go func() {
			_, err := p.Run(context.Background())
			done <- err
		}()
		id := int64(0)
		for range 20 {
			for range 100 {
				row := 2 * id // one shard has few rows, and is read to its end long before the other
				if id%10 == 0 {
					row++
				}
				s.put(row, time.Now().Add(-time.Duration(id%19)*time.Second))
				id++
				time.Sleep(time.Second)
			}
			time.Sleep(2 * time.Minute)
		}
		time.Sleep(time.Hour)
		p.Stop()
		require.NoError(t, <-done)
		require.EqualValues(t, id, rows)
		require.True(t, idled, "the watermark goes on where the table is quiet")
	})
}

// A part that has been idle for 200 s is not so for 10 minutes, whatever the clocks say, and though
// servers were away for the rest.
func TestIdleTimeIsNotThatOfAnOutageOrAJump(t *testing.T) {
	for name, trouble := range map[string]func(f *troubled){
		"none": func(*troubled) { time.Sleep(8 * time.Minute) },
		"outage": func(f *troubled) {
			f.down.Store(true)
			time.Sleep(8 * time.Minute)
			f.down.Store(false)
			f.nextPage()
		},
		"stall": func(f *troubled) {
			f.stall.Store(int64(8 * time.Minute))
			f.nextPage()
			f.stall.Store(0)
			f.nextPage()
			f.nextPage()
		},
		"jump": func(f *troubled) {
			f.jump(time.Hour, time.Hour)
			f.nextPage()
			f.jump(0, 0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inTrouble(t, 10*time.Minute, nil, func(t *testing.T, f *troubled) {
				f.match = ofAny
				time.Sleep(20 * time.Minute)
				began := time.Now()
				f.write(began)
				time.Sleep(200*time.Second + 500*time.Millisecond) // between two polls
				if name == "none" {                                // 5 minutes of silence
					time.Sleep(100 * time.Second)
				} else {
					trouble(f)
					time.Sleep(time.Second)
				}
				_, _, mark := f.seen()
				assert.LessOrEqual(t, mark.Time().Sub(began), time.Duration(0), "it has been idle for 200 s, not 10 minutes")
			})
		})
	}
}

// With a delay, clocks jump for a moment right behind a row.
func TestIdleTimeIsNotThatOfAJumpAndADelay(t *testing.T) {
	for _, delay := range []time.Duration{0, 3 * time.Second, 5 * time.Second, 20 * time.Second} {
		for _, lasts := range []time.Duration{time.Second, 4 * time.Second} {
			t.Run(delay.String()+" "+lasts.String(), func(t *testing.T) {
				inTrouble(t, 10*time.Minute, []source.TailOption{source.Delay(delay)}, func(t *testing.T, f *troubled) {
					time.Sleep(20 * time.Minute)
					f.write(time.Now())
					began := time.Now()
					for rows := 0; rows == 0; rows, _, _ = f.seen() {
						time.Sleep(100 * time.Millisecond)
					}
					time.Sleep(500 * time.Millisecond)
					f.jump(time.Hour, time.Hour)
					time.Sleep(lasts)
					f.jump(0, 0)
					time.Sleep(2 * time.Minute)
					_, _, mark := f.seen()
					assert.LessOrEqual(t, mark.Time().Sub(began), time.Duration(0), "it has been idle for 2 minutes, not 10")
				})
			})
		}
	}
}
