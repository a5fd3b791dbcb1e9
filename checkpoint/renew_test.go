package checkpoint

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
)

func TestALeaseIsRenewedEveryThirdOfItsTime(t *testing.T) {
	held(t, func(t *testing.T, r *fakeRow, l *lease) {
		time.Sleep(10*span + time.Second)
		require.False(t, isLost(l))
		require.Equal(t, [3]int{30, 0, 0}, r.counts())
		require.NoError(t, save(t, l, "new"))
	})
}

func TestALeaseThatIsNotRenewedIsLostInTime(t *testing.T) {
	for name, f := range map[string]fault{
		"no answer": lostRequest, "refused": unavailable, "hanging": hangs, "session closed": closed,
		"made, but nobody says so": lostAnswer,
	} {
		held(t, func(t *testing.T, r *fakeRow, l *lease) {
			r.script(f)
			time.Sleep(span - time.Nanosecond)
			synctest.Wait()
			require.False(t, isLost(l), name)
			time.Sleep(time.Nanosecond)
			synctest.Wait()
			require.True(t, isLost(l), name)
			err := save(t, l, "new")
			require.ErrorIs(t, err, rxcql.ErrCheckpointLost, name)
			require.ErrorContains(t, err, "ran out", name)
			require.Less(t, r.counts()[0], 30, name)

			r.script(fine)
			require.ErrorIs(t, save(t, l, "new"), rxcql.ErrCheckpointLost, "%s: lost is lost", name)
			_, data := r.now()
			require.Equal(t, "old", data)
			require.NoError(t, l.Unlock(), name)
		})
	}
}

func TestTheLeaseCountsFromWhenTheLastRenewalWasSent(t *testing.T) {
	held(t, func(t *testing.T, r *fakeRow, l *lease) {
		begin := time.Now()
		r.slow(8 * time.Second) // a renewal is sent at 10 s and confirmed at 18 s
		time.Sleep(19 * time.Second)
		r.script(lostRequest)
		<-l.Lost()
		require.Equal(t, 10*time.Second+span, time.Since(begin))
	})
	held(t, func(t *testing.T, r *fakeRow, l *lease) { // and so does a Save
		begin := time.Now()
		r.slow(8 * time.Second)
		require.NoError(t, save(t, l, "new"))
		r.script(lostRequest)
		<-l.Lost()
		require.Equal(t, span, time.Since(begin))
	})
}

func TestFailuresThatPassLoseNothing(t *testing.T) {
	held(t, func(t *testing.T, r *fakeRow, l *lease) {
		for range 5 {
			r.script(lostRequest)
			time.Sleep(span / 2)
			r.script(fine)
			time.Sleep(span)
			require.False(t, isLost(l))
		}
		require.NoError(t, save(t, l, "new"))
	})
}

func TestARenewalFindsATakeover(t *testing.T) {
	held(t, func(t *testing.T, r *fakeRow, l *lease) {
		r.takeOver()
		begin := time.Now()
		<-l.Lost()
		require.LessOrEqual(t, time.Since(begin), span/3)
	})
	held(t, func(t *testing.T, r *fakeRow, l *lease) { // or the row was deleted
		r.mu.Lock()
		r.holder = nobody
		r.mu.Unlock()
		<-l.Lost()
		require.ErrorIs(t, save(t, l, "new"), rxcql.ErrCheckpointLost)
		owner, data := r.now()
		require.Equal(t, nobody, owner)
		require.Equal(t, "old", data)
	})
}

func TestUnlockEndsWhateverTheServerDoes(t *testing.T) {
	for name, f := range map[string]fault{"hanging": hangs, "refused": unavailable, "no answer": lostRequest, "closed": closed} {
		held(t, func(t *testing.T, r *fakeRow, l *lease) {
			r.script(f)
			time.Sleep(span/3 + time.Second) // a renewal is out
			begin := time.Now()
			require.ErrorContains(t, l.Unlock(), "ends by itself within 32 s", name)
			require.LessOrEqual(t, time.Since(begin), 10*time.Second, name)
			r.script(fine)
			time.Sleep(10 * span)
			require.Equal(t, [3]int{0, 0, 0}, r.counts(), "%s: nothing is renewed after Unlock", name)
			require.False(t, isLost(l), name)
			owner, _ := r.now()
			require.Equal(t, nobody, owner)
		})
	}
}

func TestTheServerKeepsAnOwnerForLongerThanTheLease(t *testing.T) {
	for lease, seconds := range map[time.Duration]int{minLease: 5, minLease + 1: 6, DefaultLease: 32, maxLease: 86402} {
		require.Equal(t, seconds, ttl(lease))
	}
}
