package flow_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/flow"
)

// A poll may be noted at its end, and when the next one begins.
func TestSlowPollsThatAreNotedTwiceCountOnce(t *testing.T) {
	var once, twice flow.IdleLog
	now := 0
	for range 1200 { // so many that a log takes them together
		once.Slow(asked(now), asked(now+20))
		twice.Slow(asked(now), asked(now+20))
		twice.Slow(asked(max(0, now-20)), asked(now+20)) // begins earlier, where a request had failed
		now += 20
		for _, after := range []time.Duration{time.Second, 50 * time.Second, time.Hour} {
			since := flow.IdleAt(asked(0).At)
			to, is := once.At(asked(now)).Until(since, after)
			also, too := twice.At(asked(now)).Until(since, after)
			require.False(t, too && !is, "%d s, %v", now, after)
			require.False(t, is && also.After(to), "%d s, %v: %v and %v", now, after, also, to)
			require.False(t, is && also.Before(to.Add(-8*20*time.Second)), "%d s, %v: %v and %v", now, after, also, to)
		}
	}
}

// A poll behind an outage hears of a partition that was read before it.
func TestASlowPollThatBeganBeforeATimeAwayIsAwayToo(t *testing.T) {
	var log flow.IdleLog
	now := 0
	slow := func(times int) {
		for range times {
			log.Slow(asked(now), asked(now+20))
			now += 20
		}
	}
	slow(10)
	outage := now
	log.Away(asked(now), asked(now+100))
	log.Slow(asked(now), asked(now+100))
	now += 100
	slow(6)
	require.False(t, until(log.At(asked(now)), 120*time.Second).After(asked(outage).At), "the outage is no idle time")
	slow(10)
	require.True(t, until(log.At(asked(now)), 120*time.Second).After(asked(outage).At))
}

func TestEventTimeWaitsWhereClocksGoAheadAndEachPollIsSlow(t *testing.T) {
	var log flow.IdleLog
	now := 0
	slow := func(times int) {
		for range times {
			log.Slow(asked(now), asked(now+20))
			now += 20
		}
	}
	slow(20)
	jumped := now
	log.Ahead(asked(now), ahead(now+1, 3600))
	for range 6 {
		log.Slow(ahead(now, 3600), ahead(now+20, 3600))
		now += 20
	}
	require.False(t, until(log.At(ahead(now, 3600)), 10*time.Minute).After(asked(jumped).At))
	for range 40 {
		log.Slow(ahead(now, 3600), ahead(now+20, 3600))
		now += 20
	}
	require.True(t, until(log.At(ahead(now, 3600)), 10*time.Minute).After(asked(jumped).At), "they are believed")
}

// A log that is full takes the jump and the poll before it, or behind it, together.
func TestAJumpHoldsEventTimeAlsoInALogThatIsFull(t *testing.T) {
	for before := 480; before < 1010; before++ {
		for _, behind := range []int{6, 40, 600} {
			var log flow.IdleLog
			now := 0
			slow := func(times int) {
				for range times {
					log.Slow(asked(now), asked(now+20))
					now += 20
				}
			}
			slow(before)
			jumped := now
			log.Ahead(asked(now-20), asked(now))
			slow(behind)
			after := time.Duration(behind+20) * 20 * time.Second
			require.False(t, until(log.At(asked(now)), after).After(asked(jumped).At), "%d slow polls before and %d behind", before, behind)
		}
	}
}

// Polls that began before the end of an outage are it, and not those that overlap these.
func TestATimeAwayIsNoLongerByPollsThatOverlap(t *testing.T) {
	var log flow.IdleLog
	log.Away(asked(0), asked(30))
	now := 30
	for range 100 {
		log.Slow(asked(now-20), asked(now+20)) // and the one before it, as where it is noted twice
		now += 20
	}
	require.True(t, until(log.At(asked(now)), 10*time.Minute).After(asked(now-10*20).At))
}

// Clocks go ahead over the first of two polls, and the second one finds that a partition has not
// been heard of since: all of it is Away, and none of it is a good time, also in a log that is
// full.
func TestTimesAwayThatOverlapLeaveNoGoodTimeBetween(t *testing.T) {
	for before := range 3 {
		var log flow.IdleLog
		log.Away(flow.Moment{}, asked(0))
		for range before { // so that other notes are taken together
			log.Away(asked(0), asked(0))
		}
		now := 0
		for range 1000 {
			log.Ahead(asked(now), asked(now+10))
			log.Away(asked(now), asked(now+10))
			log.Away(asked(now+10), asked(now+20))
			now += 20
			_, is := log.At(asked(now)).Until(flow.IdleAt(asked(-1).At), time.Second)
			require.False(t, is, "%d, %d s", before, now)
		}
	}
}

// Slow polls are idle time where they are usual, and only since the part is idle.
func TestIdleTimeOfSlowPollsBeginsWithIdleness(t *testing.T) {
	var log flow.IdleLog
	now := 0
	for range 20 {
		log.Slow(asked(now), asked(now+20))
		now += 20
	}
	since := flow.IdleAt(asked(now - 10*20 + 5).At)
	_, is := log.At(asked(now)).Until(since, 115*time.Second) // ten polls less four, and 5 s of the first
	require.True(t, is)
	_, is = log.At(asked(now)).Until(since, 116*time.Second)
	require.False(t, is)
}

// Four polls that are noted twice are four also where a log that is full has taken the second note
// of one and the first of the next one together.
func TestPollsThatAreTakenTogetherAreNotMore(t *testing.T) {
	var log flow.IdleLog
	log.Away(flow.Moment{}, asked(0))
	for range 992 { // long ago
		log.Away(asked(0), asked(0))
	}
	for n := range 4 { // the log is full before the last note
		log.Slow(asked(20*n), asked(20*n+20))
		log.Slow(asked(20*n), asked(20*n+20))
	}
	_, is := log.At(asked(80)).Until(flow.IdleAt(asked(-1).At), time.Second)
	require.False(t, is, "four polls may be trouble")
}
