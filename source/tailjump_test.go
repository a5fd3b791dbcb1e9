package source_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/source"
)

func TestNothingIsLostOrGivenTwiceWhenAClockJumps(t *testing.T) {
	const hour = time.Hour
	for name, jumps := range map[string][][2]time.Duration{ // this machine's, the server's
		"this machine's forward":                                 {{hour, 0}},
		"this machine's back":                                    {{-hour, 0}},
		"this machine's by a day and back":                       {{25 * hour, 0}, {0, 0}, {-25 * hour, 0}, {0, 0}},
		"the server's forward":                                   {{0, hour}},
		"the server's back":                                      {{0, -hour}, {0, 0}},
		"the one forward, the other back":                        {{hour, -hour}, {0, 0}},
		"both are of a machine that was ahead, and is set right": {{-time.Minute, -time.Minute}, {0, 0}},
		"both back, and right again":                             {{-hour, -hour}, {0, 0}},
		"both back to the day before, further and further":       {{-hour, -2 * hour}, {-25 * hour, -2 * hour}, {-25 * hour, -30 * hour}, {0, 0}},
		"back and forth, one and then the other":                 {{-hour, 0}, {hour, 0}, {0, -hour}, {0, hour}, {-hour, hour}, {hour, -hour}, {0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			inTail(t, func(t *testing.T, s *tailed) {
				f := follow(t, s.tail(source.Overlap(20*time.Second)))
				time.Sleep(time.Minute)
				id := int64(0)
				write := func(n int) {
					for range n {
						s.put(id, time.Now().Add(-15*time.Second*time.Duration(id%2))) // every other one is late
						id++
						time.Sleep(time.Second)
					}
				}
				write(30)
				for _, jump := range jumps {
					s.jump(jump[0], jump[1])
					write(60)
				}
				time.Sleep(10 * time.Second)
				require.Equal(t, upTo(id), f.ids(), "without waiting until the clocks are right")
				f.stop(t)
			})
		})
	}
}

// Writers, this machine and the server are of one machine. What was on its way when its clock was
// set forward has times of before.
func TestWhatIsOnItsWayWhenAllClocksJumpForwardIsNotLost(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		f := follow(t, s.tail(source.Overlap(20*time.Second)))
		time.Sleep(time.Minute)
		stamped := time.Now()
		s.jump(time.Hour, time.Hour)
		for id := range int64(15) {
			s.put(id, stamped)                      // took long
			s.put(id+15, time.Now().Add(time.Hour)) // did not
			time.Sleep(time.Second)
		}
		time.Sleep(time.Minute)
		require.Equal(t, upTo(30), f.ids())
		f.stop(t)
	})
}
