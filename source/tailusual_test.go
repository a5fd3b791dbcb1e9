package source_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/source"
)

// A shard takes long in each poll, which is how it always is. Requests for another one fail for a
// while, from right after its answer on.
func TestNothingIsLateByAnOutageWhereEachPollIsSlow(t *testing.T) {
	for _, takes := range []time.Duration{0, 3 * time.Second, 6 * time.Second, 8 * time.Second} {
		for _, lasts := range []time.Duration{7 * time.Second, 9 * time.Second, 10 * time.Second, 10500 * time.Millisecond, 12 * time.Second, 20 * time.Second} {
			if lasts < takes { // no request meets it
				continue
			}
			for _, after := range []time.Duration{0, 90 * time.Second} { // an outage of so long
				t.Run(fmt.Sprint(takes, lasts, after), func(t *testing.T) {
					inTrouble(t, time.Minute, nil, func(t *testing.T, f *troubled) {
						read := make(chan struct{}, 1)
						f.match = func(r *cqlfake.Request) bool { return ofTable(r) && shardOf(r) == 1 }
						f.slowed(func(r *cqlfake.Request) time.Duration {
							switch {
							case !ofTable(r):
								return 0
							case shardOf(r) == 0:
								return takes
							}
							select {
							case read <- struct{}{}:
							default:
							}
							return 0
						})
						time.Sleep(10 * time.Minute)
						if after > 0 {
							f.down.Store(true)
							time.Sleep(after)
							f.down.Store(false)
							time.Sleep(20 * time.Second)
						}
						<-read
						<-read
						time.Sleep(10 * time.Millisecond)
						f.down.Store(true)
						happened := time.Now().Add(10 * time.Millisecond)
						time.Sleep(lasts)
						f.down.Store(false)
						f.untilItWouldBeLate(happened, 55*time.Second) // less than IdleAfter
						f.write(happened)
						time.Sleep(5 * time.Minute)
						f.nothingLate(t)
					})
				})
			}
		}
	}
}

// Requests of a shard take longer than the overlap. In one of so many polls the first attempt
// fails, at once or after as long.
func TestAQuietTableIsIdleWhereRequestsAreSlowAndFailNowAndThen(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 5, 8, 16} {
		for _, quick := range []bool{true, false} {
			t.Run(fmt.Sprint(n, quick), func(t *testing.T) {
				inTrouble(t, 10*time.Second, nil, func(t *testing.T, f *troubled) {
					polls, again, fail := 0, false, false
					if !quick {
						fails := f.fails
						f.fails = func() *cqlfake.Reply { return fails().After(6 * time.Second) }
					}
					f.match = func(r *cqlfake.Request) bool { return ofTable(r) && shardOf(r) == 1 && fail }
					f.slowed(func(r *cqlfake.Request) time.Duration {
						if !ofTable(r) || shardOf(r) != 1 {
							return 0
						}
						fail = false
						if again {
							again = false
						} else if polls++; polls%n == 0 {
							again, fail = true, true
							return 0
						}
						return 6 * time.Second
					})
					f.down.Store(true)
					time.Sleep(time.Hour)
					_, _, mark := f.seen()
					require.True(t, mark.Known(), "never idle in an hour")
					require.Less(t, time.Since(mark.Time()), 5*time.Minute)
				})
			})
		}
	}
}

// The partitions of a day that has just begun were never read before the outage.
func TestNothingIsLateByAnOutageOfPartitionsThatAreNew(t *testing.T) {
	for _, before := range []time.Duration{4 * time.Second, 8 * time.Second} { // midnight, a poll
		for _, lasts := range []time.Duration{13 * time.Second, 14 * time.Second} {
			t.Run(before.String()+" "+lasts.String(), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(23*time.Hour + 50*time.Minute)
					f := newTroubled(t)
					today := time.Now().Truncate(24 * time.Hour)
					time.Sleep(10*time.Second - before)
					defer f.start(t, time.Minute, []source.TailOption{source.PollEvery(10 * time.Second)})()
					f.match = func(r *cqlfake.Request) bool { return ofTable(r) && dayOf(r).After(today) }
					time.Sleep(time.Until(today.Add(24*time.Hour - before - 100*time.Millisecond)))
					f.nextPage()
					time.Sleep(10 * time.Millisecond)
					f.down.Store(true)
					happened := time.Now().Add(10 * time.Millisecond)
					time.Sleep(lasts)
					f.down.Store(false)
					f.untilItWouldBeLate(happened, 30*time.Second)
					f.write(happened)
					time.Sleep(3 * time.Minute)
					f.nothingLate(t)
				})
			})
		}
	}
}
