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
			require.Equal(t, asked(c.hold).At, log.At(asked(c.at)).Until(10*time.Second))
		})
	}
}

func TestEventTimeWaitsWhereClocksGoAhead(t *testing.T) {
	var log flow.IdleLog
	until := func(m flow.Moment) time.Time { return log.At(m).Until(10 * time.Second) }
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
	until := log.At(asked(199)).Until(10 * time.Second)
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
		require.Equal(t, asked(10).At, log.At(asked(now)).Until(time.Hour*24), "%d times", times)
		require.Equal(t, asked(now+9).At, log.At(asked(now+9)).Until(10*time.Second), "%d times", times)
	}
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
	until := func() time.Time { return log.At(asked(now)).Until(50 * time.Second) }
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

// Servers that are frozen again and again are no slow ones.
func TestEventTimeWaitsWhereSomePollsAreSlow(t *testing.T) {
	var log flow.IdleLog
	now := 10
	for range 1500 {
		log.Slow(asked(now), asked(now+20))
		now += 21
	}
	require.Equal(t, asked(10).At, log.At(asked(now)).Until(time.Hour))
	require.Equal(t, asked(10+1500*21-9*21).At, log.At(asked(now)).Until(10*time.Second), "a second between two is added up")
}

// A page that waits is about the moment at which it was made: what comes later is not of it.
func TestAnIdlePageSaysWhatWasKnownWhenItWasMade(t *testing.T) {
	var log flow.IdleLog
	log.Away(asked(10), asked(40))
	page := log.At(asked(45))
	for n := range 3000 { // so much that it is folded
		log.Away(asked(n), asked(n))
		require.Equal(t, asked(10).At, page.Until(10*time.Second))
	}
}

func TestASourceThatHasJustBegunKnowsNothingOfTheTimeBefore(t *testing.T) {
	var log flow.IdleLog
	log.Away(flow.Moment{}, asked(20))
	require.Zero(t, log.At(asked(20)).Until(10*time.Second))
	require.Zero(t, log.At(asked(29)).Until(10*time.Second))
	require.Equal(t, asked(30).At, log.At(asked(30)).Until(10*time.Second))
	log.Away(asked(22), asked(50))
	require.Zero(t, log.At(asked(57)).Until(10*time.Second), "2 s and 7 s are not enough")
	require.Equal(t, asked(22).At, log.At(asked(58)).Until(10*time.Second))
}

func TestAPartThatIsNotIdleHasNoMoment(t *testing.T) {
	require.Nil(t, flow.IdleAt(time.Time{}))
	var none *flow.Idle
	require.Zero(t, none.At())
	require.Zero(t, none.Until(time.Second))
	require.Equal(t, asked(7).At, flow.IdleAt(asked(7).At).At())
}
