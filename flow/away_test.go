package flow_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/flow"
)

// The times are in seconds. Writers need 10 of them.
func TestEventTimeWaitsForWritersAfterASourceWasAway(t *testing.T) {
	moment := func(second int) time.Time { return time.Unix(int64(second), 0) }
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
		"each request takes long":             {[][2]int{{0, 20}, {20, 40}, {40, 60}, {60, 80}, {80, 100}, {100, 120}}, 120, 40},
		"a page from before it":               {[][2]int{{10, 40}}, 5, 5},
		"a page from between two":             {[][2]int{{10, 40}, {60, 90}}, 45, 10},
		"the last page from before the later": {[][2]int{{10, 40}, {45, 90}}, 45, 10},
		"a clock that jumps":                  {[][2]int{{10, 3610}}, 3619, 10},
		"forth and back":                      {[][2]int{{10, 3610}, {3615, 15}}, 20, 10},
		"forth and back, and writers are in":  {[][2]int{{10, 3610}, {3615, 15}}, 25, 25},
		"forth for long, and back":            {[][2]int{{10, 3610}, {3700, 100}}, 100, 10},
		"forth for long, and back for longer": {[][2]int{{10, 3610}, {3700, 100}}, 110, 110},
	} {
		t.Run(name, func(t *testing.T) {
			o := &flow.Origin{}
			for _, each := range c.away {
				o.Away(moment(each[0]), moment(each[1]))
			}
			require.Equal(t, moment(c.until), o.IdleUntil(moment(c.at), 10*time.Second))
		})
	}
	var none *flow.Origin // of pages that an operator made
	none.Away(moment(1), moment(2))
	require.Equal(t, moment(3), none.IdleUntil(moment(3), time.Second))
}

func TestASourceThatHasJustBegunKnowsNothingOfTheTimeBefore(t *testing.T) {
	o := &flow.Origin{}
	o.Away(time.Time{}, time.Unix(20, 0))
	require.Zero(t, o.IdleUntil(time.Unix(20, 0), 10*time.Second))
	require.Zero(t, o.IdleUntil(time.Unix(29, 0), 10*time.Second))
	require.Equal(t, time.Unix(30, 0), o.IdleUntil(time.Unix(30, 0), 10*time.Second))
	o.Away(time.Unix(22, 0), time.Unix(50, 0))
	require.Zero(t, o.IdleUntil(time.Unix(57, 0), 10*time.Second), "2 s and 7 s are not enough")
	require.Equal(t, time.Unix(22, 0), o.IdleUntil(time.Unix(58, 0), 10*time.Second))
}

func TestSeveralMaySayThatASourceWasAway(t *testing.T) {
	for range 2000 {
		o := &flow.Origin{}
		var both sync.WaitGroup
		both.Go(func() { o.Away(time.Unix(10, 0), time.Unix(40, 0)) })
		both.Go(func() { o.Away(time.Unix(12, 0), time.Unix(38, 0)) })
		both.Wait()
		require.Equal(t, time.Unix(10, 0), o.IdleUntil(time.Unix(45, 0), 10*time.Second))
	}
}
