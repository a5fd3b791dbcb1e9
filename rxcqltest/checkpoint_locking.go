package rxcqltest

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/rxcql/rxcql"
)

// lockingRules are about who works on a job.
func lockingRules() []rule[CheckpointPlace] {
	return []rule[CheckpointPlace]{
		{"One at a time works on a job, and another is refused at once", func(t testing.TB, p CheckpointPlace) {
			store := p.Store()
			for range 3 {
				c := lock(t, store, anyJob)
				refused(t, store, "by the same store")
				refused(t, p.Store(), "by another store on the place")
				save(t, c, []byte("still mine"))
				unlock(t, c)
			}
		}},
		{"Of many who want a job at once each gets it in its turn", manyWantOneJob},
		{"A lock outlives the context that it was taken with", func(t testing.TB, p CheckpointPlace) {
			ctx, end := context.WithCancelCause(t.Context())
			c, err := p.Store().Lock(ctx, anyJob)
			must(t, err, "Lock")
			end(errCutOff)
			if isLost(c) {
				t.Fatalf("the lock was lost when the context of Lock ended")
			}
			save(t, c, []byte("after a cancel"))
			refused(t, p.Store(), "after the context of Lock ended")
			unlock(t, c)
		}},
		{"A Lock that is cut off keeps nobody out", func(t testing.TB, p CheckpointPlace) {
			for looks := range mostLooks {
				var c rxcql.Checkpoint
				var err error
				store, ctx := p.Store(), newFuse(t.Context(), looks)
				within(t, "Lock", func() { c, err = store.Lock(ctx, anyJob) })
				if err == nil {
					unlock(t, c)
					return
				}
				unlock(t, tryLock(t, p.Store(), anyJob))
			}
		}},
		{"Save after Unlock fails with ErrCheckpointLost and saves nothing", func(t testing.TB, p CheckpointPlace) {
			c := lock(t, p.Store(), anyJob)
			save(t, c, []byte("old"))
			unlock(t, c)
			lostSave(t, c, "after Unlock", []byte("late"))
			next := lock(t, p.Store(), anyJob)
			lostSave(t, c, "after Unlock, while another works on the job", []byte("late"))
			holds(t, next, "after a Save that was refused", []byte("old"))
			unlock(t, next)
		}},
		{"Lost is not closed while the lock is held, nor by Unlock", func(t testing.TB, p CheckpointPlace) {
			c := lock(t, p.Store(), anyJob)
			save(t, c, []byte("data"))
			if isLost(c) {
				t.Fatalf("Lost is closed while the lock is held")
			}
			unlock(t, c)
			if isLost(c) {
				t.Fatalf("Unlock has closed Lost")
			}
		}},
		{"A lock that was lost saves nothing more and says so", func(t testing.TB, p CheckpointPlace) {
			need(t, p.Expire != nil, "Expire")
			c := lock(t, p.Store(), anyJob)
			save(t, c, []byte("old"))
			p.Expire(anyJob)
			next := tryLock(t, p.Store(), anyJob)
			save(t, next, []byte("of the next"))
			lostSave(t, c, "after another has taken the job over", []byte("late"))
			if c.Lost() != nil {
				eventually(t, "Lost of a lock that was lost is closed", func() bool { return isLost(c) })
			}
			holds(t, next, "after the one before tried to save", []byte("of the next"))
			unlock(t, next)
			_ = c.Unlock()
		}},
		{"Unlock of a lock that was lost leaves the job to its new owner", func(t testing.TB, p CheckpointPlace) {
			need(t, p.Expire != nil, "Expire")
			c := lock(t, p.Store(), anyJob)
			p.Expire(anyJob)
			next := tryLock(t, p.Store(), anyJob)
			within(t, "Unlock of a lock that was lost", func() { _ = c.Unlock() })
			refused(t, p.Store(), "after the one before has unlocked")
			save(t, next, []byte("of the next"))
			unlock(t, next)
		}},
		{"Unlock leaves no goroutine behind", func(t testing.TB, p CheckpointPlace) {
			leavesNothing(t, p.IgnoreGoroutines, func(ctx context.Context) {
				c, err := p.Store().Lock(ctx, anyJob)
				must(t, err, "Lock")
				must(t, c.Save(ctx, []byte("data")), "Save")
				must(t, c.Unlock(), "Unlock")
			})
		}},
	}
}

// manyWantOneJob has workers count together: each locks the job, adds one to the saved number, and
// unlocks the job.
func manyWantOneJob(t testing.TB, p CheckpointPlace) {
	const workers, rounds = 4, 3
	shared := p.Store()
	errs := make([]error, workers)
	var all sync.WaitGroup
	for w := range workers {
		store := shared // two use one store, and two have stores of their own
		if w%2 == 0 {
			store = p.Store()
		}
		all.Go(func() {
			for range rounds {
				if errs[w] = countOne(t.Context(), store); errs[w] != nil {
					return
				}
			}
		})
	}
	within(t, "locking a job in turns", all.Wait)
	must(t, errors.Join(errs...), "locking a job in turns")
	c := lock(t, p.Store(), anyJob)
	holds(t, c, "after each of several has added to the number that is saved", []byte(strconv.Itoa(workers*rounds)))
	unlock(t, c)
}

func countOne(ctx context.Context, store rxcql.CheckpointStore) (err error) {
	c, err := store.Lock(ctx, anyJob)
	for errors.Is(err, rxcql.ErrCheckpointLocked) {
		time.Sleep(5 * time.Millisecond)
		c, err = store.Lock(ctx, anyJob)
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Unlock()) }()
	data, err := c.Load(ctx)
	if err != nil {
		return err
	}
	n, _ := strconv.Atoi(string(data))
	return c.Save(ctx, []byte(strconv.Itoa(n+1)))
}
