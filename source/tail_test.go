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
