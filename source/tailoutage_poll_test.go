package source_test

import (
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

// An outage that begins while the tail pauses. Polls meet it, and it is longer than the overlap. It
// may be that of the replicas of the table, or of one shard, where the node that tells the time is
// up.
func TestNothingIsLateByAnOutageThatBeginsBetweenTwoPolls(t *testing.T) {
	shard1 := func(r *cqlfake.Request) bool { return ofTable(r) && shardOf(r) == 1 }
	for _, c := range []struct {
		what         string
		match        func(*cqlfake.Request) bool
		every, lasts time.Duration
	}{
		{"any", ofAny, 4 * time.Second, 8 * time.Second},
		{"any", ofAny, 4 * time.Second, 7 * time.Second},
		{"table", ofTable, 4 * time.Second, 7 * time.Second},
		{"table", ofTable, 4 * time.Second, 8 * time.Second},
		{"shard", shard1, 4 * time.Second, 7 * time.Second},
		{"any", ofAny, 5 * time.Second, 8 * time.Second},
		{"any", ofAny, 10 * time.Second, 13 * time.Second},
		{"any", ofAny, time.Minute, 63 * time.Second},
		{"table", ofTable, 5 * time.Second, 8 * time.Second},
	} {
		t.Run(c.what+" "+c.every.String()+" "+c.lasts.String(), func(t *testing.T) {
			inTrouble(t, time.Minute, []source.TailOption{source.PollEvery(c.every)}, func(t *testing.T, f *troubled) {
				f.match = c.match
				time.Sleep(10 * time.Minute)
				f.nextPage()
				time.Sleep(10 * time.Millisecond)
				f.down.Store(true)
				happened := time.Now().Add(10 * time.Millisecond)
				time.Sleep(c.lasts)
				f.down.Store(false)
				f.untilItWouldBeLate(happened, 10*time.Second)
				f.write(happened)
				time.Sleep(3 * time.Minute)
				f.nothingLate(t)
			})
		})
	}
}

// A poll takes 16 s, as there are many shards that take a second each. One shard is away for 20 s.
func TestNothingIsLateByAnOutageOfOneShardOfMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newTroubled(t)
		f.shards = 16
		f.match = func(r *cqlfake.Request) bool { return ofTable(r) && shardOf(r) == 1 }
		read := make(chan struct{}, 1)
		f.slowed(func(r *cqlfake.Request) time.Duration {
			if ofTable(r) && shardOf(r) == 2 {
				select {
				case read <- struct{}{}:
				default:
				}
			}
			if !ofTable(r) || f.down.Load() && shardOf(r) == 1 {
				return 0
			}
			return time.Second
		})
		defer f.start(t, time.Minute, nil)()
		time.Sleep(10 * time.Minute)
		<-read
		<-read // of the next poll, at shard 2: shard 1 has just been read
		f.down.Store(true)
		happened := time.Now().Add(10 * time.Millisecond)
		time.Sleep(20 * time.Second)
		f.down.Store(false)
		f.untilItWouldBeLate(happened, 60*time.Second)
		t.Log("written behind the outage", time.Since(happened)-20*time.Second)
		f.write(happened)
		time.Sleep(3 * time.Minute)
		f.nothingLate(t)
	})
}

// Two buckets are read at midnight. The replicas of the second one are away.
func TestNothingIsLateByAnOutageOfTheSecondOfTwoBuckets(t *testing.T) {
	for _, c := range []struct{ every, lasts time.Duration }{
		{4 * time.Second, 6 * time.Second},
		{4 * time.Second, 7 * time.Second},
		{10 * time.Second, 13 * time.Second},
	} {
		t.Run(c.every.String()+" "+c.lasts.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(23*time.Hour + 50*time.Minute)
				f := newTroubled(t)
				defer f.start(t, time.Minute, []source.TailOption{source.PollEvery(c.every)})()
				today := time.Now().Truncate(24 * time.Hour)
				f.match = func(r *cqlfake.Request) bool { return ofTable(r) && dayOf(r).After(today) }
				time.Sleep(time.Until(today.Add(24*time.Hour - 4*time.Second)))
				f.nextPage()
				time.Sleep(10 * time.Millisecond)
				f.down.Store(true)
				happened := time.Now().Add(10 * time.Millisecond)
				time.Sleep(c.lasts)
				f.down.Store(false)
				f.untilItWouldBeLate(happened, 10*time.Second)
				f.write(happened)
				time.Sleep(3 * time.Minute)
				f.nothingLate(t)
			})
		})
	}
}
