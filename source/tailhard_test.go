package source_test

import (
	"encoding/binary"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/source"
)

// The clock of the servers is ahead, or this machine's, all the time. A poll that is held up in its
// middle asks the clocks again, and is idle as of then.
func TestNothingIsLateByAnOutageInTheMiddleOfAPollWhereOneClockIsAhead(t *testing.T) {
	for _, ahead := range [][2]time.Duration{{0, 0}, {time.Hour, 0}, {0, time.Hour}, {0, 20 * time.Second}} {
		for _, shards := range []int{2, 3, 16} {
			t.Run(ahead[0].String()+" "+ahead[1].String()+" "+strconv.Itoa(shards), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					f := newTroubled(t)
					f.shards = shards
					f.jump(ahead[0], ahead[1])
					f.match = func(r *cqlfake.Request) bool { return ofTable(r) && shardOf(r) == 1 }
					defer f.start(t, 10*time.Second, nil)()
					time.Sleep(10 * time.Minute)
					f.nothingLateByAnOutage(t, 45*time.Second)
				})
			})
		}
	}
}

// Nothing at all is wrong, except that one clock is ahead.
func TestNothingIsLateByAPollThatTakesLongWhereOneClockIsAhead(t *testing.T) {
	for _, ahead := range [][2]time.Duration{{0, 0}, {0, time.Hour}} {
		t.Run(ahead[1].String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newTroubled(t)
				f.shards = 16
				f.jump(ahead[0], ahead[1])
				f.slowed(func(r *cqlfake.Request) time.Duration {
					if ofTable(r) {
						return time.Second
					}
					return 0
				})
				defer f.start(t, 10*time.Second, nil)()
				time.Sleep(10 * time.Minute)
				for i := range 30 {
					time.Sleep(100*time.Second + time.Duration(i)*700*time.Millisecond)
					f.write(time.Now()) // as soon as it happens
				}
				time.Sleep(2 * time.Minute)
				_, late, _ := f.seen()
				assert.Empty(t, late)
			})
		})
	}
}

// An outage that begins between two polls, and that a poll meets. It is longer than the overlap.
func TestNothingIsLateByAnOutageThatBeginsBetweenTwoPolls(t *testing.T) {
	for _, c := range []struct{ every, lasts time.Duration }{
		{4 * time.Second, 7 * time.Second},
		{5 * time.Second, 8 * time.Second},
		{10 * time.Second, 13 * time.Second},
		{time.Minute, 63 * time.Second},
	} {
		t.Run(c.every.String(), func(t *testing.T) {
			inTrouble(t, time.Minute, []source.TailOption{source.PollEvery(c.every)}, func(t *testing.T, f *troubled) {
				f.match = ofAny
				time.Sleep(10 * time.Minute)
				f.nextPage()
				time.Sleep(10 * time.Millisecond)
				f.down.Store(true)
				happened := time.Now().Add(10 * time.Millisecond)
				time.Sleep(c.lasts)
				f.down.Store(false)
				for range 100 { // until the row would be late if it came with the poll after
					time.Sleep(100 * time.Millisecond)
					if _, _, mark := f.seen(); mark.Time().After(happened) {
						break
					}
				}
				f.write(happened)
				time.Sleep(3 * time.Minute)
				f.nothingLate(t)
			})
		})
	}
}

// shardOf is the shard that a request of iot.raw reads.
func shardOf(r *cqlfake.Request) int {
	if len(r.Statements) == 0 || len(r.Statements[0].Values) < 2 {
		return -1
	}
	return int(binary.BigEndian.Uint32(r.Statements[0].Values[1].Bytes))
}

// Servers are away, and slow for a minute when they are back: as they are while they catch up. That
// is four polls, and no time in which a writer can count on an answer.
func TestNothingIsLateByServersThatAreSlowWhenTheyAreBack(t *testing.T) {
	for _, takes := range []time.Duration{0, 5500 * time.Millisecond} {
		for _, what := range []string{"servers", "sink"} {
			t.Run(what+" "+takes.String(), func(t *testing.T) {
				inTrouble(t, time.Minute, nil, func(t *testing.T, f *troubled) {
					f.match = ofAny
					time.Sleep(10 * time.Minute)
					f.down.Store(true)
					happened := time.Now().Add(time.Second)
					time.Sleep(45 * time.Second)
					if what == "sink" {
						f.stall.Store(int64(takes))
					} else {
						f.slowed(func(r *cqlfake.Request) time.Duration {
							if ofTable(r) && shardOf(r) == 1 {
								return takes
							}
							return 0
						})
					}
					f.down.Store(false)
					time.Sleep(55 * time.Second)
					f.write(happened)
					time.Sleep(5 * time.Minute)
					f.nothingLate(t)
				})
			})
		}
	}
}

// One of several servers has a clock that is behind by more than the overlap. Polls ask one and
// then another. No row is missed by that, and a quiet table is idle.
func TestAQuietTableIsIdleThoughOneServersClockIsBehind(t *testing.T) {
	for _, servers := range []int{2, 3} {
		for _, behind := range []time.Duration{4 * time.Second, 6 * time.Second, time.Minute} {
			t.Run(strconv.Itoa(servers)+" "+behind.String(), func(t *testing.T) {
				inTrouble(t, 10*time.Second, nil, func(t *testing.T, f *troubled) {
					for i := range 1800 {
						f.jump(0, 0)
						if i%servers == 0 {
							f.jump(0, -behind)
						}
						f.nextPage() // of one poll
					}
					_, _, mark := f.seen()
					if assert.True(t, mark.Known(), "in half an hour it is never idle") {
						assert.Less(t, time.Since(mark.Time()), behind+5*time.Minute)
					}
				})
			})
		}
	}
}
