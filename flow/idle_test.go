package flow_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/flow"
)

// The times are in seconds. Writers need 10 of them.
func TestEventTimeWaitsForWritersAfterASourceWasAway(t *testing.T) {
	for name, c := range map[string]struct {
		away      [][2]int
		at, until int
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
		"a clock that jumps":                  {[][2]int{{10, 3610}}, 3619, 10},
		"forth and back":                      {[][2]int{{10, 3610}, {3615, 15}}, 20, 10},
		"forth and back, and writers are in":  {[][2]int{{10, 3610}, {3615, 15}}, 25, 25},
		"forth for long, and back":            {[][2]int{{10, 3610}, {3700, 100}}, 100, 10},
		"forth for long, and back for longer": {[][2]int{{10, 3610}, {3700, 100}}, 110, 110},
	} {
		t.Run(name, func(t *testing.T) {
			var log flow.IdleLog
			for _, each := range c.away {
				log.Away(moment(each[0]), moment(each[1]))
			}
			require.Equal(t, moment(c.until), log.At(moment(c.at)).Until(10*time.Second))
		})
	}
}

func moment(n int) time.Time { return time.Unix(int64(n), 0) }

// Failures are never how it always is, however many follow each other closely.
func TestEventTimeWaitsHoweverOftenASourceWasAway(t *testing.T) {
	for _, times := range []int{5, 100, 999, 1000, 1001, 5000, 12_345} {
		var log flow.IdleLog
		at := 10
		for range times {
			log.Away(moment(at), moment(at+30))
			at += 31
		}
		require.Equal(t, moment(10), log.At(moment(at)).Until(time.Hour*24), "%d times", times)
		require.Equal(t, moment(at+9), log.At(moment(at+9)).Until(10*time.Second), "%d times", times)
	}
}

func TestEventTimeGoesOnWhereEachPollIsSlow(t *testing.T) {
	var log flow.IdleLog
	log.Away(moment(0), moment(10))
	at := 10
	slow := func(times int) {
		for range times {
			log.Slow(moment(at), moment(at+20))
			at += 20
		}
	}
	slow(4)
	require.Equal(t, moment(0), log.At(moment(at)).Until(10*time.Second), "it may be trouble")
	slow(1)
	require.Equal(t, moment(at-4*20), log.At(moment(at)).Until(10*time.Second), "it is how it always is")
	for range 5000 {
		slow(1)
		until := log.At(moment(at)).Until(10 * time.Second)
		require.False(t, until.Before(moment(at-5*20)), "%v", moment(at).Sub(until))
		require.False(t, until.After(moment(at-3*20)), "%v", moment(at).Sub(until))
	}
	log.Away(moment(at), moment(at+30)) // there is trouble
	before := at
	at += 30
	slow(4)
	require.Equal(t, moment(before-4*20), log.At(moment(at)).Until(10*time.Second))
}

// Servers that are frozen again and again are no slow ones.
func TestEventTimeWaitsWhereSomePollsAreSlow(t *testing.T) {
	var log flow.IdleLog
	at := 10
	for range 1500 {
		log.Slow(moment(at), moment(at+20))
		at += 21
	}
	require.Equal(t, moment(10), log.At(moment(at)).Until(time.Hour))
	require.Equal(t, moment(10+1500*21-9*21), log.At(moment(at)).Until(10*time.Second), "a second between two is added up")
}

// A page that waits is about the moment at which it was made: what comes later is not of it.
func TestAnIdlePageSaysWhatWasKnownWhenItWasMade(t *testing.T) {
	var log flow.IdleLog
	log.Away(moment(10), moment(3610)) // all clocks are ahead
	ahead := log.At(moment(3615))
	log.Away(moment(3616), moment(16)) // and set right
	require.Equal(t, moment(10), ahead.Until(10*time.Second))
	for n := range 3000 { // so much that it is folded
		log.Away(moment(100+n), moment(100+n))
	}
	require.Equal(t, moment(10), ahead.Until(10*time.Second))
}

func TestASourceThatHasJustBegunKnowsNothingOfTheTimeBefore(t *testing.T) {
	var log flow.IdleLog
	log.Away(time.Time{}, moment(20))
	require.Zero(t, log.At(moment(20)).Until(10*time.Second))
	require.Zero(t, log.At(moment(29)).Until(10*time.Second))
	require.Equal(t, moment(30), log.At(moment(30)).Until(10*time.Second))
	log.Away(moment(22), moment(50))
	require.Zero(t, log.At(moment(57)).Until(10*time.Second), "2 s and 7 s are not enough")
	require.Equal(t, moment(22), log.At(moment(58)).Until(10*time.Second))
}

func TestAPartThatIsNotIdleHasNoMoment(t *testing.T) {
	require.Nil(t, flow.IdleAt(time.Time{}))
	var none *flow.Idle
	require.Zero(t, none.At())
	require.Zero(t, none.Until(time.Second))
	require.Equal(t, moment(7), flow.IdleAt(moment(7)).At())
}
