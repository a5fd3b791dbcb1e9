package lock_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/lock"
)

func TestOneAtATimeHoldsALockWhileOthersSleepInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := lock.New()
		n := 0
		for range 10 {
			go func() {
				l.Lock()
				defer l.Unlock()
				before := n
				time.Sleep(time.Second)
				n = before + 1
			}()
		}
		time.Sleep(time.Minute)
		l.Lock()
		defer l.Unlock()
		require.Equal(t, 10, n)
	})
}

func TestUnlockingWhatIsNotLockedPanicsAndDoesNotHang(t *testing.T) {
	const message = "rxcql: unlock of a lock that is not locked"
	l := lock.New()
	require.PanicsWithValue(t, message, l.Unlock)
	l.Lock()
	require.NotPanics(t, l.Unlock)
	require.PanicsWithValue(t, message, l.Unlock)
	var none lock.Lock
	require.PanicsWithValue(t, message, none.Unlock)
}
