package rxcqltest_test

import (
	"context"
	"errors"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/rxcqltest"
)

func wrongLocks() []plant[rxcqltest.CheckpointPlace] {
	return []plant[rxcqltest.CheckpointPlace]{
		{"One at a time works on a job, and another is refused at once", "its error is of no kind", refusesWith(func(context.Context) error {
			return errors.New("somebody has it")
		})},
		{"One at a time works on a job, and another is refused at once", "it waits for its turn", refusesWith(func(ctx context.Context) error {
			<-ctx.Done()
			return context.Cause(ctx)
		})},
		{"Of many who want a job at once each gets it in its turn", "it looks first and locks then", looksFirst()},
		{"A lock outlives the context that it was taken with", "others get the lock when the context of Lock has ended", boundToContext()},
		{"A Lock that is cut off keeps nobody out", "it leaves the lock where it was cut off",
			wrongLock(func(s *jobtest.Store, ctx context.Context, job string) (rxcql.Checkpoint, error) {
				c, err := s.Lock(ctx, job)
				if err == nil && ctx.Err() != nil {
					return nil, context.Cause(ctx)
				}
				return c, err
			})},
		{"Save after Unlock fails with ErrCheckpointLost and saves nothing", "it saves after Unlock where nobody else works on the job",
			wrong(func(c rxcql.Checkpoint, s *jobtest.Store, job string) wrongCheckpoint {
				unlocked := false
				return wrongCheckpoint{
					unlock: func() error { unlocked = true; return c.Unlock() },
					save: func(ctx context.Context, data []byte) error {
						err := c.Save(ctx, data)
						if unlocked && !s.Locked(job) {
							s.Put(job, data)
							return nil
						}
						return err
					},
				}
			})},
		{"Lost is not closed while the lock is held, nor by Unlock", "Unlock closes Lost",
			wrong(func(c rxcql.Checkpoint, _ *jobtest.Store, _ string) wrongCheckpoint {
				lost, once := make(chan struct{}), sync.Once{}
				return wrongCheckpoint{
					lost: func() <-chan struct{} {
						select {
						case <-c.Lost():
							return c.Lost()
						default:
							return lost
						}
					},
					unlock: func() error { once.Do(func() { close(lost) }); return c.Unlock() },
				}
			})},
		{"A lock that was lost saves nothing more and says so", "it saves over its successor", overwrites(nil)},
		{"A lock that was lost saves nothing more and says so", "its error is of no kind", overwrites(errors.New("the lock is gone"))},
		{"A lock that was lost saves nothing more and says so", "Lost is never closed",
			wrong(func(rxcql.Checkpoint, *jobtest.Store, string) wrongCheckpoint {
				never := make(chan struct{})
				return wrongCheckpoint{lost: func() <-chan struct{} { return never }}
			})},
		{"Unlock of a lock that was lost leaves the job to its new owner", "it unlocks whoever has the lock",
			wrong(func(c rxcql.Checkpoint, s *jobtest.Store, job string) wrongCheckpoint {
				return wrongCheckpoint{unlock: func() error {
					select {
					case <-c.Lost():
						s.Expire(job)
					default:
					}
					return c.Unlock()
				}}
			})},
		{"Unlock leaves no goroutine behind", "it goes on renewing", goesOnRenewing()},
		{"A Lock that fails says so and keeps nobody out", "it takes a failure for a lock of others",
			wrongLock(func(s *jobtest.Store, ctx context.Context, job string) (rxcql.Checkpoint, error) {
				c, err := s.Lock(ctx, job)
				if errors.Is(err, errDown) {
					err = rxcql.ErrCheckpointLocked
				}
				return c, err
			})},
	}
}

// refusesWith makes a place that refuses the job of one rule wrongly. Others wait for
// a job to be free, and would be broken too.
func refusesWith(refusal func(ctx context.Context) error) func(testing.TB) rxcqltest.CheckpointPlace {
	return wrongLock(func(s *jobtest.Store, ctx context.Context, job string) (rxcql.Checkpoint, error) {
		if s.Locked(job) && string(s.Get(job)) == "still mine" {
			return nil, refusal(ctx)
		}
		return s.Lock(ctx, job)
	})
}

// pairs has two goroutines wait for each other.
type pairs struct {
	mu      sync.Mutex
	waiting chan struct{} // of the first of two
}

// meet returns when another goroutine has called it too, or none has come for a time.
func (p *pairs) meet() {
	p.mu.Lock()
	if p.waiting != nil {
		close(p.waiting)
		p.waiting = nil
		p.mu.Unlock()
		return
	}
	mine := make(chan struct{})
	p.waiting = mine
	p.mu.Unlock()
	select {
	case <-mine:
	case <-time.After(time.Second):
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.waiting == mine {
			p.waiting = nil
		}
	}
}

// looksFirst gives a lock to all who look at it while it is free.
func looksFirst() func(testing.TB) rxcqltest.CheckpointPlace {
	var looking, reading pairs
	window := func(p *pairs, s *jobtest.Store, job string) {
		if _, err := strconv.Atoi(string(s.Get(job))); err == nil { // the number that the rule has counted to
			p.meet()
		}
	}
	return wrongLock(func(s *jobtest.Store, ctx context.Context, job string) (rxcql.Checkpoint, error) {
		free := !s.Locked(job)
		if free {
			window(&looking, s, job)
		}
		c, err := s.Lock(ctx, job)
		if err != nil && (!free || !errors.Is(err, rxcql.ErrCheckpointLocked)) {
			return c, err
		}
		read := func(context.Context) ([]byte, error) {
			data := s.Get(job)
			window(&reading, s, job)
			return data, nil
		}
		if err == nil {
			return &wrongCheckpoint{Checkpoint: c, load: func(ctx context.Context) ([]byte, error) {
				if _, err := c.Load(ctx); err != nil {
					return nil, err
				}
				return read(ctx)
			}}, nil
		}
		return &wrongCheckpoint{
			load: read, unlock: func() error { return nil },
			save: func(_ context.Context, data []byte) error { s.Put(job, data); return nil },
		}, nil
	})
}

// boundToContext makes a place whose locks end with the context that they were taken
// with, when another process wants them.
func boundToContext() func(testing.TB) rxcqltest.CheckpointPlace {
	return func(t testing.TB) rxcqltest.CheckpointPlace {
		var mu sync.Mutex
		holders := map[string]context.Context{}
		return wrongLock(func(s *jobtest.Store, ctx context.Context, job string) (rxcql.Checkpoint, error) {
			mu.Lock()
			defer mu.Unlock()
			if holder := holders[job]; holder != nil && holder.Err() != nil {
				s.Expire(job)
			}
			c, err := s.Lock(ctx, job)
			if err == nil {
				holders[job] = ctx
			}
			return c, err
		})(t)
	}
}

// overwrites saves after the lock was taken over, and returns err.
func overwrites(err error) func(testing.TB) rxcqltest.CheckpointPlace {
	return wrong(func(c rxcql.Checkpoint, s *jobtest.Store, job string) wrongCheckpoint {
		unlocked := false
		return wrongCheckpoint{
			unlock: func() error { unlocked = true; return c.Unlock() },
			save: func(ctx context.Context, data []byte) error {
				lost := c.Save(ctx, data)
				if unlocked || !errors.Is(lost, rxcql.ErrCheckpointLost) {
					return lost
				}
				if err == nil {
					s.Put(job, data)
				}
				return err
			},
		}
	})
}

// goesOnRenewing has a goroutine that ends with the test only.
func goesOnRenewing() func(testing.TB) rxcqltest.CheckpointPlace {
	return func(t testing.TB) rxcqltest.CheckpointPlace {
		over := make(chan struct{})
		var renewing sync.WaitGroup
		t.Cleanup(func() {
			close(over)
			renewing.Wait()
		})
		return wrongLock(func(s *jobtest.Store, ctx context.Context, job string) (rxcql.Checkpoint, error) {
			c, err := s.Lock(ctx, job)
			if err == nil {
				renewing.Go(func() {
					select {
					case <-over:
					case <-time.After(time.Hour):
					}
				})
			}
			return c, err
		})(t)
	}
}
