package flow_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/flow"
)

// asked is a moment of clocks that are right, in seconds.
func asked(n int) flow.Moment {
	return flow.Moment{At: time.Unix(int64(n), 0), Now: time.Unix(int64(n), 0)}
}

// ahead is a moment at which the clocks are ahead.
func ahead(n, by int) flow.Moment { return flow.Moment{At: asked(n + by).At, Now: asked(n).Now} }

// until is how far a part is known to be complete that has been idle for ever.
func until(i *flow.Idle, after time.Duration) time.Time {
	to, _ := i.Until(flow.IdleAt(asked(-1_000_000).At), after)
	return to
}

// A part is idle for as long as its source has said so, less the times that it was away.
func TestIdleTimeIsNotThatOfTimesAway(t *testing.T) {
	var log flow.IdleLog
	since := log.At(asked(100))
	is := func(now int) bool { _, is := log.At(asked(now)).Until(since, 50*time.Second); return is }
	require.False(t, is(149))
	require.True(t, is(150))
	log.Away(asked(140), asked(400))
	require.False(t, is(409), "40 s and 9 s")
	require.True(t, is(410))
	log.Ahead(asked(420), ahead(421, 3600))
	require.True(t, is(421))
	log = flow.IdleLog{}
	log.Away(asked(50), asked(120)) // it began before that
	require.False(t, is(169))
	require.True(t, is(170))
}

// Writers need 10 s.
func TestEventTimeWaitsForWritersAfterASourceWasAway(t *testing.T) {
	for name, c := range map[string]struct {
		away     [][2]int
		at, hold int
	}{
		"never":                               {nil, 50, 50},
		"just now":                            {[][2]int{{10, 40}}, 40, 10},
		"for a while":                         {[][2]int{{10, 40}}, 49, 10},
		"for long enough":                     {[][2]int{{10, 40}}, 50, 50},
		"a moment between two":                {[][2]int{{10, 40}, {41, 60}}, 68, 10},
		"a moment that is enough":             {[][2]int{{10, 40}, {41, 60}}, 69, 41},
		"since the later of two":              {[][2]int{{10, 40}, {41, 60}}, 70, 70},
		"long between two":                    {[][2]int{{10, 40}, {55, 60}}, 69, 55},
		"what is between is added up":         {[][2]int{{10, 40}, {46, 60}, {63, 70}}, 70, 10},
		"and is enough":                       {[][2]int{{10, 40}, {46, 60}, {63, 70}}, 71, 46},
		"a page with a delay, from before it": {[][2]int{{10, 40}}, 5, 5},
		"a page with a delay, from between":   {[][2]int{{10, 40}, {60, 90}}, 45, 10},
	} {
		t.Run(name, func(t *testing.T) {
			var log flow.IdleLog
			for _, each := range c.away {
				log.Away(asked(each[0]), asked(each[1]))
			}
			require.Equal(t, asked(c.hold).At, until(log.At(asked(c.at)), 10*time.Second))
		})
	}
}

func TestEventTimeWaitsWhereClocksGoAhead(t *testing.T) {
	var log flow.IdleLog
	until := func(m flow.Moment) time.Time { return until(log.At(m), 10*time.Second) }
	log.Ahead(asked(10), ahead(11, 3600))
	require.Equal(t, asked(10).At, until(ahead(11, 3600)))
	require.Equal(t, asked(10).At, until(ahead(20, 3600)))
	require.Equal(t, asked(21+3600).At, until(ahead(21, 3600)), "they have been so for long, so they are right")
	require.Equal(t, asked(10).At, until(asked(15)), "they were set right")
	require.Equal(t, asked(25).At, until(asked(25)))
	log.Ahead(asked(30), ahead(31, 60)) // and again
	require.Equal(t, asked(30).At, until(ahead(35, 60)))
}

// One clock is right, and one is behind, and they are asked in turn.
func TestEventTimeGoesOnThoughClocksGoForthAndBackAllTheTime(t *testing.T) {
	var log flow.IdleLog
	for n := range 100 {
		log.Ahead(ahead(2*n, -60), asked(2*n+1))
	}
	until := until(log.At(asked(199)), 10*time.Second)
	require.Equal(t, asked(198-8-60).At, until, "of the last 10 s the least")
}

// Failures are never how it always is, however many follow each other closely.
func TestEventTimeWaitsHoweverOftenASourceWasAway(t *testing.T) {
	for _, times := range []int{5, 100, 999, 1000, 1001, 5000, 12_345} {
		var log flow.IdleLog
		now := 10
		for range times {
			log.Away(asked(now), asked(now+30))
			now += 31
		}
		require.Equal(t, asked(10).At, until(log.At(asked(now)), time.Hour*24), "%d times", times)
		require.Equal(t, asked(now+9).At, until(log.At(asked(now+9)), 10*time.Second), "%d times", times)
	}
}

func TestIdlenessBeginsNoEarlierThanTheSourceKnows(t *testing.T) {
	var log flow.IdleLog
	moment := asked(100)
	moment.Now, moment.NowAtMost = asked(40).At, asked(90).At
	first, now := log.At(moment), log.At(asked(120))
	_, is := now.Until(first, 31*time.Second)
	require.False(t, is, "it may have begun at 90")
	_, is = now.Until(first, 30*time.Second)
	require.True(t, is)
	_, is = log.At(moment).Until(log.At(asked(20)), 21*time.Second)
	require.False(t, is, "it may have lasted to 40")
}

func TestEventTimeGoesOnWhereEachPollIsSlow(t *testing.T) {
	var log flow.IdleLog
	log.Away(asked(0), asked(10))
	now := 10
	slow := func(times int) {
		for range times {
			log.Slow(asked(now), asked(now+20))
			now += 20
		}
	}
	until := func() time.Time { return until(log.At(asked(now)), 50*time.Second) }
	slow(4)
	require.Equal(t, asked(0).At, until(), "it may be trouble")
	slow(2)
	require.Equal(t, asked(0).At, until(), "writers may still be held up by what was before")
	slow(1)
	require.Equal(t, asked(now-4*20).At, until(), "it is how it always is, and has been so for 60 s")
	for range 5000 {
		slow(1)
		require.False(t, until().Before(asked(now-5*20).At), "%v", asked(now).At.Sub(until()))
		require.False(t, until().After(asked(now-3*20).At), "%v", asked(now).At.Sub(until()))
	}
	log.Away(asked(now), asked(now+30)) // there is trouble
	before := now
	now += 30
	slow(6)
	require.Equal(t, asked(before-4*20).At, until())
}

// The clock of one of two servers is behind, too. A log that is full takes them together.
func TestEventTimeGoesOnWhereEachPollIsSlowAndOneClockIsBehind(t *testing.T) {
	for _, after := range []time.Duration{10 * time.Minute, 2 * time.Hour} {
		var log flow.IdleLog
		log.Away(flow.Moment{}, asked(0))
		idle := 0
		for n := range 10_000 {
			from, to := ahead(8*n, -60*(n%2)), ahead(8*(n+1), -60*((n+1)%2))
			log.Slow(from, to)
			if n%2 == 1 {
				log.Ahead(from, to)
			}
			if _, is := log.At(to).Until(flow.IdleAt(asked(0).At), after); is {
				idle++
			}
		}
		require.Greater(t, idle, 8000, "%v, which are %d polls", after, after/(8*time.Second))
	}
}

// Servers that are frozen again and again are no slow ones.
func TestEventTimeWaitsWhereSomePollsAreSlow(t *testing.T) {
	var log flow.IdleLog
	now := 10
	for range 1500 {
		log.Slow(asked(now), asked(now+20))
		now += 21
	}
	require.Equal(t, asked(10).At, until(log.At(asked(now)), time.Hour))
	require.Equal(t, asked(10+1500*21-9*21).At, until(log.At(asked(now)), 10*time.Second), "a second between two is added up")
}

// A page that waits is about the moment at which it was made: what comes later is not of it.
func TestAnIdlePageSaysWhatWasKnownWhenItWasMade(t *testing.T) {
	var log flow.IdleLog
	log.Away(asked(10), asked(40))
	page := log.At(asked(45))
	for n := range 3000 { // so much that it is folded
		log.Away(asked(n), asked(n))
		require.Equal(t, asked(10).At, until(page, 10*time.Second))
	}
}

func TestASourceThatHasJustBegunKnowsNothingOfTheTimeBefore(t *testing.T) {
	var log flow.IdleLog
	log.Away(flow.Moment{}, asked(20))
	require.Zero(t, until(log.At(asked(20)), 10*time.Second))
	require.Zero(t, until(log.At(asked(29)), 10*time.Second))
	require.Equal(t, asked(30).At, until(log.At(asked(30)), 10*time.Second))
	log.Away(asked(22), asked(50))
	require.Zero(t, until(log.At(asked(57)), 10*time.Second), "2 s and 7 s are not enough")
	require.Equal(t, asked(22).At, until(log.At(asked(58)), 10*time.Second))
}

func TestAPartThatIsNotIdleHasNoMoment(t *testing.T) {
	require.Nil(t, flow.IdleAt(time.Time{}))
	var none *flow.Idle
	require.Zero(t, none.At())
	require.Equal(t, asked(7).At, flow.IdleAt(asked(7).At).At())
}

// One clock is right, and one is behind, and they are asked in turn. Each time is a good one, so
// what is idle for so long is idle, however many times it are.
func TestEventTimeGoesOnThoughClocksGoForthAndBackManyTimesInIdleAfter(t *testing.T) {
	for _, after := range []time.Duration{1500 * time.Second, time.Hour} {
		var log flow.IdleLog
		log.Away(flow.Moment{}, asked(0))
		for n := range 10_000 {
			log.Ahead(ahead(2*n, -60), asked(2*n+1))
		}
		to := until(log.At(asked(20_000)), after)
		require.False(t, to.IsZero(), "%v: it is never idle", after)
		require.True(t, to.After(asked(20_000-2*int(after.Seconds())).At))
	}
}

// Every second poll is slow, and every other one is good.
func TestEventTimeGoesOnWherePollsAreSlowManyTimesInIdleAfter(t *testing.T) {
	for _, after := range []time.Duration{400 * time.Second, time.Hour} {
		var log flow.IdleLog
		log.Away(flow.Moment{}, asked(0))
		now := 0
		for range 10_000 {
			log.Slow(asked(now+1), asked(now+3))
			now += 3
		}
		require.False(t, until(log.At(asked(now)), after).IsZero(), "%v: it is never idle, in %d s", after, now)
	}
}

// The clocks are ahead at the beginning of a time away, and no more at its end.
func TestEventTimeWaitsAfterATimeAwayThatBeganWhenClocksWereAhead(t *testing.T) {
	var log flow.IdleLog
	log.Ahead(asked(99), ahead(100, 60))
	log.Away(ahead(100, 60), asked(145))
	require.Equal(t, asked(99).At, until(log.At(asked(148)), 10*time.Second))
}
