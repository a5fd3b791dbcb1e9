package checkpoint

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
)

const span = 30 * time.Second

// held runs a test with a lease that has saved "old", in a bubble where time is
// not real. What it leaves locked is unlocked after it.
func held(t *testing.T, test func(t *testing.T, r *fakeRow, l *lease)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := &fakeRow{}
		l, err := lockLease(t.Context(), r, span)
		require.NoError(t, err)
		defer func() { _ = l.Unlock() }()
		require.NoError(t, l.Save(t.Context(), []byte("old")))
		r.script(fine)
		test(t, r, l)
	})
}

func save(t *testing.T, l *lease, data string) error { return l.Save(t.Context(), []byte(data)) }

func isLost(l *lease) bool {
	select {
	case <-l.Lost():
		return true
	default:
		return false
	}
}

func TestASaveWithoutAnAnswerIsFoundOut(t *testing.T) {
	for name, c := range map[string]struct {
		faults []fault
		counts [3]int // swaps, reads, saves
	}{
		"made":                             {[]fault{lostAnswer}, [3]int{1, 1, 1}},
		"not made":                         {[]fault{lostRequest}, [3]int{2, 1, 1}},
		"not made, the read fails":         {[]fault{lostRequest, lostAnswer}, [3]int{2, 2, 1}},
		"made, the read fails":             {[]fault{lostAnswer, unavailable, lostAnswer}, [3]int{1, 3, 1}},
		"not made twice, then made":        {[]fault{lostRequest, fine, lostRequest, fine, lostAnswer}, [3]int{3, 3, 1}},
		"refused, which leaves no doubt":   {[]fault{unavailable, unavailable}, [3]int{3, 0, 1}},
		"refused, then made without a say": {[]fault{unavailable, lostAnswer}, [3]int{2, 1, 1}},
	} {
		held(t, func(t *testing.T, r *fakeRow, l *lease) {
			r.script(fine, c.faults...)
			require.NoError(t, save(t, l, "new"), name)
			require.Equal(t, c.counts, r.counts(), name)
			require.NoError(t, save(t, l, "newer"), name) // the lease knows its owner
			_, data := r.now()
			require.Equal(t, "newer", data, name)
		})
	}
}

func TestASaveThatArrivesLateDoesNotOverwriteALaterOne(t *testing.T) {
	held(t, func(t *testing.T, r *fakeRow, l *lease) {
		r.script(fine, late)
		require.NoError(t, save(t, l, "second")) // sent twice: one is still on its way
		require.NoError(t, save(t, l, "third"))
		require.Len(t, r.onTheir, 1)
		r.deliver()
		_, data := r.now()
		require.Equal(t, "third", data)
		require.NoError(t, save(t, l, "fourth"))
	})
}

func TestASaveIsTriedABoundedNumberOfTimes(t *testing.T) {
	held(t, func(t *testing.T, r *fakeRow, l *lease) {
		r.script(unavailable)
		begin := time.Now()
		err := save(t, l, "new")
		require.ErrorIs(t, err, gocql.ErrUnavailable)
		require.NotContains(t, err.Error(), "not known")
		require.Equal(t, [3]int{maxTries, 0, 0}, r.counts())
		require.Less(t, time.Since(begin), 8*time.Second) // six waits of 6.3 s, a quarter more at most

		r.script(closed)
		require.ErrorIs(t, save(t, l, "new"), gocql.ErrSessionClosed)
		require.Equal(t, [3]int{1, 0, 0}, r.counts())
	})
}

func TestASaveThatIsGivenUpSaysThatItMayHaveBeenMade(t *testing.T) {
	for name, first := range map[string]fault{"made": lostAnswer, "not made": lostRequest, "made later": late} {
		held(t, func(t *testing.T, r *fakeRow, l *lease) {
			r.script(lostRequest, first)
			require.ErrorContains(t, save(t, l, "maybe"), "not known", name)
			require.Equal(t, [3]int{1, maxTries - 1, min(1, r.counts()[2])}, r.counts(), name)
			r.script(fine)
			r.deliver()
			require.NoError(t, save(t, l, "new"), name) // in every case
			_, data := r.now()
			require.Equal(t, "new", data, name)

			r.script(lostRequest, first)
			require.Error(t, save(t, l, "maybe"), name)
			r.script(fine)
			r.deliver()
			time.Sleep(span) // renewals find out, too
			require.False(t, isLost(l), name)
			r.script(lostRequest, first)
			require.Error(t, save(t, l, "maybe"), name)
			r.script(fine)
			r.deliver()
			require.NoError(t, l.Unlock(), name)
			owner, _ := r.now()
			require.Equal(t, nobody, owner, name)
		})
	}
}

func TestASaveAfterATakeoverIsRefused(t *testing.T) {
	for _, faults := range [][]fault{nil, {lostRequest}, {lostAnswer}, {unavailable}} {
		held(t, func(t *testing.T, r *fakeRow, l *lease) {
			r.takeOver()
			other, _ := r.now()
			r.script(fine, faults...)
			require.ErrorIs(t, save(t, l, "late"), rxcql.ErrCheckpointLost)
			require.True(t, isLost(l))
			require.ErrorIs(t, save(t, l, "later"), rxcql.ErrCheckpointLost)
			require.NoError(t, l.Unlock())
			owner, data := r.now()
			require.Equal(t, "old", data)
			require.Equal(t, other, owner, "Unlock must leave the other's lease alone")
		})
	}
}

func TestASaveEndsWithTheLeaseOrItsContext(t *testing.T) {
	held(t, func(t *testing.T, r *fakeRow, l *lease) {
		r.script(hangs)
		why := errors.New("enough")
		ctx, cancel := context.WithTimeoutCause(t.Context(), time.Second, why)
		defer cancel()
		begin := time.Now()
		require.ErrorIs(t, l.Save(ctx, []byte("new")), why)
		require.Equal(t, time.Second, time.Since(begin))
		require.False(t, isLost(l))

		err := save(t, l, "new")
		require.ErrorIs(t, err, rxcql.ErrCheckpointLost)
		require.Equal(t, span, time.Since(begin))
		require.True(t, isLost(l))
		_, data := r.now()
		require.Equal(t, "old", data)
	})
}

func TestALockWithoutAnAnswerIsFoundOut(t *testing.T) {
	for name, c := range map[string]struct {
		faults []fault
		held   bool
	}{
		"taken":                 {[]fault{lostAnswer}, true},
		"not taken":             {[]fault{lostRequest}, true},
		"nobody can tell":       {[]fault{lostAnswer, unavailable, unavailable, unavailable, unavailable, unavailable, unavailable}, false},
		"refused without doubt": {[]fault{closed}, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := &fakeRow{faults: c.faults}
			l, err := lockLease(t.Context(), r, span)
			owner, _ := r.now()
			require.Equal(t, c.held, owner != nobody, "%s: a Lock that failed holds nothing", name)
			if !c.held {
				require.Error(t, err, name)
				return
			}
			require.NoError(t, err, name)
			_, err = lockLease(t.Context(), r, span)
			require.ErrorIs(t, err, rxcql.ErrCheckpointLocked, name)
			require.NoError(t, l.Unlock())
			owner, _ = r.now()
			require.Equal(t, nobody, owner, name)
		})
	}
}

func TestLoadAsksAgain(t *testing.T) {
	held(t, func(t *testing.T, r *fakeRow, l *lease) {
		r.script(fine, unavailable, lostRequest)
		data, err := l.Load(t.Context())
		require.NoError(t, err)
		require.Equal(t, "old", string(data))
		r.script(unavailable)
		_, err = l.Load(t.Context())
		require.ErrorIs(t, err, gocql.ErrUnavailable)
		r.script(fine)
		r.mu.Lock()
		r.bytes = []byte{}
		r.mu.Unlock()
		_, err = l.Load(t.Context())
		require.ErrorIs(t, err, rxcql.ErrCheckpointDamaged)
		require.Error(t, l.Save(t.Context(), nil))
	})
}
