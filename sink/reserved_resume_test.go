package sink_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/saved"
	"github.com/rxcql/rxcql/sink"
)

// stuck runs a job, on a machine whose clock is ahead, of which the first answer of
// the server does not come: no position moves, and timestamps go on.
func stuck(t *testing.T, ahead time.Duration) (checkpoint []byte, newest int64) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(ahead)
		l, first := newLedger(t), true
		l.part = 200_000
		l.answers = func() {
			l.mu.Lock()
			waits := first
			first = false
			l.mu.Unlock()
			if waits {
				time.Sleep(time.Minute)
				checkpoint = l.Get("job") // as a process that was killed now would leave it
				l.mu.Lock()
				newest = l.newest
				l.mu.Unlock()
			}
		}
		_, err := l.run(listedRows(200_000), "list<text>", nil)
		require.NoError(t, err)
	})
	require.NotEmpty(t, checkpoint)
	return checkpoint, newest
}

func TestAJobWhosePositionsDidNotMoveIsGoneOnWithLaterThanItWrote(t *testing.T) {
	checkpoint, newest := stuck(t, 8*time.Second)
	state, err := saved.Decode(checkpoint)
	require.NoError(t, err)
	require.Empty(t, state.Sources[0].Done)
	require.Empty(t, state.Sources[0].Parts)
	require.Greater(t, newest-state.TimestampBase, 3*time.Second.Microseconds(), "more than a save reserves")
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(4 * time.Second) // not so much ahead
		l := newLedger(t)
		l.Put("job", checkpoint)
		_, err := l.run(listedRows(200_000), "list<text>", nil)
		require.NoError(t, err)
		require.Greater(t, l.lowest, newest)
	})
}

func TestAJobWhosePositionsDidNotMoveIsRefusedWhereTheClockIsFarBehind(t *testing.T) {
	checkpoint, _ := stuck(t, 12*time.Second) // and 3.2 s of timestamps
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		l.Put("job", checkpoint)
		_, err := l.run(listedRows(200_000), "list<text>", nil)
		require.ErrorIs(t, err, rxcql.ErrClockBehind)
	})
}

func TestAJobKilledAgainAndAgainDoesNotRunAwayFromTheTime(t *testing.T) {
	for _, dies := range []int{1, 2, 3} {
		synctest.Test(t, func(t *testing.T) {
			l := newLedger(t)
			l.dies = dies
			for range 10 {
				before := l.newest
				if _, err := l.run(listedRows(40_000), "list<text>", nil); err != nil { // it may come to its end at last
					require.ErrorIs(t, err, rxcql.ErrCheckpointLost)
				}
				require.Greater(t, l.lowest, before)
				if l.Get("job") != nil {
					require.LessOrEqual(t, time.Until(time.UnixMicro(l.covered())), 2*time.Second)
				}
			}
		})
	}
}

func TestAJobThatIsBrokenOffWhileItWaitsDoesNotRunAwayFromTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		l.dies = 2
		_, err := l.run(listedRows(200_000), "list<text>", nil)
		require.ErrorIs(t, err, rxcql.ErrCheckpointLost)
		l.dies = 0
		for range 200 {
			ctx, cancel := context.WithTimeout(context.Background(), time.Millisecond)
			_, err := l.runIn(ctx, listedRows(100), "list<text>", nil)
			cancel()
			require.ErrorIs(t, err, context.DeadlineExceeded)
			require.LessOrEqual(t, time.Until(time.UnixMicro(l.covered())), 2*time.Second)
		}
	})
}

func TestARunAfterOneThatWasNotAheadOfTheTimeDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		l.answers = func() { time.Sleep(time.Second) }
		l.dies = 5
		_, err := l.run(listedRows(100_000), "frozen<list<text>>", nil, sink.InFlight(10))
		require.ErrorIs(t, err, rxcql.ErrCheckpointLost)
		l.dies, l.answers = 0, func() {}
		start := time.Now()
		_, err = l.run(listedRows(100_000), "frozen<list<text>>", nil)
		require.NoError(t, err)
		require.Equal(t, start.UnixMicro()+1, l.lowest)
	})
}

func TestAJobThatGivesNoTimestampsSavesNoneAndDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLedger(t)
		own := sink.TimestampOf(func(listed) int64 { return 1 })
		l.dies = 3
		l.answers = func() { time.Sleep(time.Hour) } // nothing to save
		_, err := l.run(listedRows(20_000), "frozen<list<text>>", nil, own, sink.InFlight(1))
		require.ErrorIs(t, err, rxcql.ErrCheckpointLost)
		require.Equal(t, 3, l.saves)
		l.dies, l.answers = 0, func() {}
		state, err := l.State("job")
		require.NoError(t, err)
		state.Reserved = time.Now().Add(5 * time.Second).UnixMicro() // by another sink, say
		data, err := saved.Encode(state)
		require.NoError(t, err)
		l.Put("job", data)
		start := time.Now()
		_, err = l.run(listedRows(20_000), "frozen<list<text>>", nil, own)
		require.NoError(t, err)
		require.Less(t, time.Since(start), time.Millisecond)
	})
}
