package source_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/source"
)

// Servers are away several times, and slow when they are back. Polls were quick before, so none of
// that is usual.
func TestNothingIsLateByOutagesThatFollowEachOther(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 8} {
		for _, idle := range []time.Duration{time.Minute, 90 * time.Second} {
			t.Run(fmt.Sprint(n, idle), func(t *testing.T) {
				inTrouble(t, idle, nil, func(t *testing.T, f *troubled) {
					f.match = ofAny
					time.Sleep(10 * time.Minute)
					var happened time.Time
					for i := range n {
						f.down.Store(false)
						time.Sleep(3 * time.Second)
						f.down.Store(true)
						happened = time.Now().Add(time.Second)
						time.Sleep(time.Duration(50-i) * time.Second)
					}
					f.slowed(func(r *cqlfake.Request) time.Duration {
						if ofTable(r) && shardOf(r) == 1 {
							return 5500 * time.Millisecond
						}
						return 0
					})
					f.down.Store(false)
					f.untilItWouldBeLate(happened, idle-time.Second)
					f.write(happened)
					time.Sleep(5 * time.Minute)
					f.nothingLate(t)
				})
			})
		}
	}
}

// In each poll requests of one shard fail for half a minute, and then one gets through.
func TestNothingIsLateByAShardThatIsAwayForMostOfTheTime(t *testing.T) {
	for _, polls := range []int{2, 4, 8, 20} {
		t.Run(fmt.Sprint(polls), func(t *testing.T) {
			inTrouble(t, time.Minute, nil, func(t *testing.T, f *troubled) {
				time.Sleep(10 * time.Minute)
				f.match = func(r *cqlfake.Request) bool { return ofTable(r) && shardOf(r) == 1 }
				happened := time.Now().Add(time.Second)
				for range polls {
					f.down.Store(true)
					time.Sleep(30 * time.Second)
					f.down.Store(false)
					f.nextPage()
				}
				f.untilItWouldBeLate(happened, 58*time.Second)
				f.write(happened)
				time.Sleep(5 * time.Minute)
				f.nothingLate(t)
			})
		})
	}
}

// A request fails in each poll, and polls are further apart than the overlap. An outage of all is
// none of that, so writers have IdleAfter.
func TestNothingIsLateByAnOutageWhereEachPollHasARequestThatFails(t *testing.T) {
	for _, idle := range []time.Duration{2 * time.Minute, 5 * time.Minute, 20 * time.Minute} {
		t.Run(idle.String(), func(t *testing.T) {
			inTrouble(t, idle, []source.TailOption{source.PollEvery(10 * time.Second)}, func(t *testing.T, f *troubled) {
				one := firstFails()
				var out atomic.Bool
				f.match = func(r *cqlfake.Request) bool { return out.Load() || one(r) }
				f.down.Store(true)
				time.Sleep(time.Hour)
				out.Store(true)
				happened := time.Now().Add(time.Second)
				time.Sleep(5 * time.Minute)
				out.Store(false)
				f.untilItWouldBeLate(happened, idle-time.Second)
				f.write(happened)
				time.Sleep(5 * time.Minute)
				f.nothingLate(t)
			})
		})
	}
}

// Behind by four polls, by OutOfOrderness and the overlap, of 5 s each, and by no more than twice
// of that. After a row the table is idle when IdleAfter has passed, and these polls.
func TestEventTimeIsFourPollsBehindWhereEachIsSlowOrFails(t *testing.T) {
	for _, every := range []time.Duration{10 * time.Second, 30 * time.Second} {
		for _, what := range []string{"fails", "slow", "slow and fails"} {
			t.Run(fmt.Sprint(every, what), func(t *testing.T) {
				const idle = 5 * time.Minute
				inTrouble(t, idle, []source.TailOption{source.PollEvery(every)}, func(t *testing.T, f *troubled) {
					if what != "slow" {
						f.flaky()
					}
					if what != "fails" {
						f.slowed(func(r *cqlfake.Request) time.Duration {
							if ofClock(r) || ofTable(r) && shardOf(r) == 0 {
								return 2 * time.Second
							}
							return 0
						})
					}
					time.Sleep(30 * time.Minute)
					for range 100 {
						time.Sleep(time.Second)
						_, _, mark := f.seen()
						require.True(t, mark.Known())
						require.GreaterOrEqual(t, time.Since(mark.Time()), 4*every+10*time.Second)
						require.LessOrEqual(t, time.Since(mark.Time()), 8*every+20*time.Second)
					}
					happened := time.Now()
					f.write(happened)
					f.untilItWouldBeLate(happened, time.Hour)
					assert.GreaterOrEqual(t, time.Since(happened), idle)
					assert.LessOrEqual(t, time.Since(happened), idle+8*every+20*time.Second)
				})
			})
		}
	}
}

// All clocks are an hour ahead for less than IdleAfter.
func TestAJumpIsNoTimeThatHasPassedWhereEachPollIsSlow(t *testing.T) {
	for _, takes := range []time.Duration{0, 6 * time.Second} {
		t.Run(takes.String(), func(t *testing.T) {
			inTrouble(t, 10*time.Minute, nil, func(t *testing.T, f *troubled) {
				f.slowed(func(r *cqlfake.Request) time.Duration {
					if ofTable(r) && shardOf(r) == 1 {
						return takes
					}
					return 0
				})
				time.Sleep(30 * time.Minute)
				f.jump(time.Hour, time.Hour)
				time.Sleep(time.Minute)
				f.jump(0, 0)
				time.Sleep(10 * time.Second)
				_, _, mark := f.seen()
				assert.True(t, mark.Known())
				assert.Negative(t, time.Until(mark.Time()))
			})
		})
	}
}
