package source_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/source"
)

func TestANewRowComesWithTheNextPollAndOnce(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		s.put(1000, time.Now().Add(-time.Minute)) // before the tail begins
		f := follow(t, s.tail(source.PollEvery(time.Second), source.Overlap(20*time.Second)))
		time.Sleep(100 * time.Millisecond)
		written := map[int64]time.Time{}
		for id := range int64(100) {
			time.Sleep(370 * time.Millisecond)
			written[id] = time.Now()
			s.put(id, time.Now())
		}
		time.Sleep(time.Minute)
		f.stop(t)
		require.Equal(t, upTo(100), f.ids())
		for id, at := range written {
			require.LessOrEqual(t, f.at[id].Sub(at), time.Second, "row %d", id)
		}
	})
}

func TestARowThatIsWrittenLateInsideOfTheOverlapComesOnce(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		f := follow(t, s.tail(source.Overlap(20*time.Second)))
		time.Sleep(time.Minute)
		begin := time.Now()
		for id := range int64(20) { // each a second later than the one before
			s.put(id, begin.Add(-time.Duration(id)*time.Second))
		}
		time.Sleep(10 * time.Second)
		for id := int64(20); id < 30; id++ { // in between these
			s.put(id, begin.Add(-time.Duration(id-20)*time.Second-500*time.Millisecond))
		}
		time.Sleep(2 * time.Minute)
		require.Equal(t, upTo(30), f.ids())

		s.put(31, time.Now().Add(-2*time.Minute)) // a promise that was broken: the overlap is said to be enough
		time.Sleep(2 * time.Minute)
		require.Equal(t, upTo(30), f.ids())
		f.stop(t)
	})
}

func TestRowsComeOnceAcrossTheEndOfABucketWhateverClockMadeTheBucket(t *testing.T) {
	inTailAfter(t, 24*time.Hour-40*time.Second, func(t *testing.T, s *tailed) {
		midnight := time.Date(2000, 1, 2, 0, 0, 0, 0, time.UTC)
		f := follow(t, s.tail(source.Overlap(20*time.Second)))
		time.Sleep(6 * time.Second)
		id := int64(0)
		for time.Now().Before(midnight.Add(40 * time.Second)) {
			now := time.Now()
			for _, skew := range []time.Duration{-5 * time.Second, 0, 5 * time.Second} {
				s.putInto(now.Add(skew), id, now, "")   // another clock made the bucket
				s.putInto(now, id+1, now.Add(skew), "") // or the time
				id += 2
			}
			time.Sleep(time.Second)
		}
		time.Sleep(time.Minute)
		require.Equal(t, upTo(id), f.ids())
		f.stop(t)
	})
}

func TestABucketThatIsOverIsAskedForNoMore(t *testing.T) {
	inTailAfter(t, 24*time.Hour-time.Minute, func(t *testing.T, s *tailed) {
		f := follow(t, s.tail(source.Overlap(20*time.Second)))
		time.Sleep(90*time.Second + 500*time.Millisecond) // 10 s after the overlap
		before := s.Requests(cqlfake.Execute, "iot.raw")
		time.Sleep(10 * time.Second)
		require.Equal(t, 2*10, s.Requests(cqlfake.Execute, "iot.raw")-before, "a request for each shard and second")
		f.stop(t)
	})
}

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
