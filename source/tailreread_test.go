package source_test

import (
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/saved"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// threeRows are written, and counted by a job that is killed: two in a window that is durable, and
// one in a window that is not, so that all are read again.
func threeRows(t *testing.T, s *tailed) (job *counting, begin time.Time, put func(id int64, arrived, happened time.Duration), tail func() rxcql.Stream[arrival]) {
	t.Helper()
	begin = time.Now()
	put = func(id int64, arrived, happened time.Duration) {
		s.putInto(begin, id, begin.Add(arrived), textOf(begin.Add(happened)))
	}
	tail = func() rxcql.Stream[arrival] { return s.tail(source.TailFrom(begin), source.Overlap(20*time.Second)) }
	put(0, 0, 10*time.Second)
	put(2, 2*time.Second, 11*time.Second)
	put(4, 4*time.Second, 500*time.Second)
	time.Sleep(10 * time.Second)
	job = newCounting(10*time.Second, 0)
	kill := job.start(t, tail())
	time.Sleep(3 * time.Second)
	kill()
	require.Equal(t, []int64{0, 2}, job.in(begin.Add(10*time.Second)))
	require.False(t, job.durable(t).Before(begin.Add(20*time.Second)))
	state, err := job.store.State("job")
	require.NoError(t, err)
	require.EqualValues(t, 3, state.Sources[0].Parts[0].Read)
	require.Zero(t, state.Sources[0].Parts[0].Rows)
	return job, begin, put, tail
}

func TestARowThatHasComeBetweenThoseThatWereReadIsLateAndTheseAreNot(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		job, begin, put, tail := threeRows(t, s)
		put(6, 1000*time.Millisecond, 10500*time.Millisecond)
		put(8, 1100*time.Millisecond, 10600*time.Millisecond)
		put(7, 1200*time.Millisecond, 12000*time.Millisecond) // of the other shard
		put(9, 1300*time.Millisecond, 501*time.Second)        // and not late
		job.start(t, tail())
		time.Sleep(5 * time.Second)
		require.Equal(t, []int64{0, 6, 8, 7, 9, 2, 4}, job.rows(), "in the order of their arrival")
		require.Equal(t, []int64{6, 7, 8}, job.lateRows())
		put(10, 18*time.Second, 600*time.Second)
		time.Sleep(3 * time.Second)
		require.Equal(t, []int64{4, 9}, job.in(begin.Add(500*time.Second)))
		require.False(t, job.durable(t).Before(begin.Add(510*time.Second)), "all has been read again that was read")
		require.Equal(t, []int64{6, 7, 8}, job.lateRows())
		require.Equal(t, []int64{0, 2}, job.in(begin.Add(10*time.Second)), "a window that is durable is not given again")
	})
}

// Rows that are gone when they would be read again are not waited for.
func TestAJobGoesOnThoughRowsThatItHadReadWereDeleted(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		job, begin, put, tail := threeRows(t, s)
		s.Exec("TRUNCATE iot.raw")
		job.start(t, tail())
		time.Sleep(5 * time.Second)
		put(10, 18*time.Second, 600*time.Second)
		put(12, 18*time.Second, 700*time.Second)
		time.Sleep(5 * time.Second)
		require.Empty(t, job.lateRows())
		require.Equal(t, []int64{10}, job.in(begin.Add(600*time.Second)))
		require.False(t, job.durable(t).Before(begin.Add(610*time.Second)))
	})
}

// A save reads what is settled before how far was read. So a job that has just begun may have saved
// that rows were read, and not where it began.
func TestAJobOfWhichNothingIsSettledBeginsWhereItBegan(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		begin := time.Now()
		put := func(id int64, after time.Duration) {
			s.putInto(begin, id, begin.Add(after), textOf(begin.Add(after)))
		}
		job := newCounting(time.Minute, time.Minute)
		kill := job.start(t, s.tail())
		time.Sleep(time.Second)
		put(0, time.Second)
		time.Sleep(5 * time.Second)
		kill()
		state, err := job.store.State("job")
		require.NoError(t, err)
		part := &state.Sources[0].Parts[0]
		require.EqualValues(t, 1, part.Read)
		part.Pages, part.Rows, part.State = 0, 0, nil
		data, err := saved.Encode(state)
		require.NoError(t, err)
		job.store.Put("job", data)
		put(1, time.Minute)
		time.Sleep(time.Hour)
		put(2, 30*time.Minute)
		job.start(t, s.tail())
		time.Sleep(5 * time.Second)
		require.Equal(t, []int64{0, 1, 2}, job.rows())
		require.Equal(t, []int64{0}, job.in(begin))
		require.False(t, job.durable(t).Before(begin.Add(2*time.Minute)))
	})
}

// If both clocks are set back, rows that were read before lie in the future. They come again at
// once, since no window is durable without them. Others wait for their time.
func TestRowsThatWereReadComeAgainAtOnceThoughClocksWereSetBack(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		job, begin, put, tail := threeRows(t, s)
		put(6, time.Second, 10500*time.Millisecond)
		s.jump(-time.Hour, -time.Hour) // to the day before, which is another bucket
		job.start(t, tail())
		time.Sleep(5 * time.Second)
		require.Equal(t, []int64{0, 2, 4}, job.rows())
		put(10, 18*time.Second, 600*time.Second)
		time.Sleep(time.Hour + time.Minute)
		require.Equal(t, []int64{0, 2, 4, 6, 10}, job.rows())
		require.Equal(t, []int64{6}, job.lateRows())
		require.Equal(t, []int64{4}, job.in(begin.Add(500*time.Second)))
		require.False(t, job.durable(t).Before(begin.Add(510*time.Second)))
	})
}

// What has arrived meanwhile is in the same bucket. Windows become durable while it is read, and
// not only behind it: else all of its pages would be held.
func TestWindowsBecomeDurableWhileABacklogIsRead(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		begin := time.Now()
		id := int64(0)
		write := func(n int64) {
			for range n {
				s.putInto(begin, id, time.Now(), textOf(time.Now()))
				id++
				time.Sleep(time.Second)
			}
		}
		job := newCounting(time.Minute, 0, rxcql.CheckpointHeldPages(40))
		tail := s.tail(source.TailFrom(begin), source.PageRows(10))
		kill := job.start(t, tail)
		write(30)
		time.Sleep(3 * time.Second)
		kill()
		require.Empty(t, job.table)
		write(4000)
		kill = job.start(t, tail)
		time.Sleep(10 * time.Second)
		require.Equal(t, upTo(id), job.rows())
		require.Equal(t, upTo(57), job.in(begin), "those of the first minute")
		kill()
	})
}

// A bucket that was over is read to its end again, whatever time it is now.
func TestRowsOfABucketThatWasOverComeAgainAtOnceThoughClocksWereSetBack(t *testing.T) {
	inTailAfter(t, 24*time.Hour-time.Minute, func(t *testing.T, s *tailed) {
		begin := time.Now()
		job := newCounting(24*time.Hour, time.Hour)
		tail := func() rxcql.Stream[arrival] { return s.tail(source.TailFrom(begin), source.Overlap(20*time.Second)) }
		kill := job.start(t, tail())
		s.putInto(begin, 0, begin.Add(time.Second), textOf(begin))
		s.putInto(begin, 2, begin.Add(70*time.Second), textOf(begin)) // the clock that made the bucket was behind
		time.Sleep(81*time.Second + 500*time.Millisecond)             // it is over since a moment ago
		require.Equal(t, []int64{0, 2}, job.rows())
		kill()
		s.jump(-time.Hour, -time.Hour)
		job.start(t, tail())
		time.Sleep(5 * time.Second)
		require.Equal(t, []int64{0, 2}, job.rows())
		require.Empty(t, job.lateRows())
	})
}

func TestATailThatIsReadAgainMissesNothingThatHasArrivedMeanwhile(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		var failed atomic.Bool
		rows := operators.Map(s.tail(source.Overlap(20*time.Second)), func(row arrival) (arrival, error) {
			if row.ID == 3 && !failed.Swap(true) {
				return row, errors.New("this may pass")
			}
			return row, nil
		})
		f := follow(t, operators.Retry(rows, operators.RetryIf(func(error) bool { return true }), operators.RetryDelay(time.Hour, time.Hour)))
		time.Sleep(10 * time.Second)
		for id := range int64(100) {
			s.put(id, time.Now())
			time.Sleep(time.Minute)
		}
		time.Sleep(2 * time.Hour)
		got := map[int64]bool{}
		for _, id := range f.ids() {
			got[id] = true
		}
		require.Len(t, got, 100)
		f.stop(t)
	})
}
