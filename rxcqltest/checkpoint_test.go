package rxcqltest_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/rxcqltest"
)

var errDown = errors.New("the place is down")

// memoryPlace is a place in memory. wrap, which may be nil, makes the stores wrong.
func memoryPlace(wrap func(*jobtest.Store) rxcql.CheckpointStore) func(testing.TB) rxcqltest.CheckpointPlace {
	return func(testing.TB) rxcqltest.CheckpointPlace {
		memory := &jobtest.Store{AnyBytes: true}
		var store rxcql.CheckpointStore = memory
		if wrap != nil {
			store = wrap(memory)
		}
		return rxcqltest.CheckpointPlace{
			Store:  func() rxcql.CheckpointStore { return store },
			Expire: memory.Expire,
			Fail: func(fail bool) {
				memory.Break(map[bool]error{true: errDown}[fail])
			},
		}
	}
}

func TestTheStoreInMemoryPassesTheSuite(t *testing.T) {
	rxcqltest.TestCheckpointStore(t, memoryPlace(nil))
	require.Empty(t, rxcqltest.CheckpointRules.Broken(t, memoryPlace(nil), ""))
}

func TestRulesThatAPlaceDoesNotAllowAreSkippedAndSaySo(t *testing.T) {
	bare := func(t testing.TB) rxcqltest.CheckpointPlace {
		p := memoryPlace(nil)(t)
		return rxcqltest.CheckpointPlace{Store: p.Store, OneJob: true}
	}
	skipped := rxcqltest.CheckpointRules.Broken(t, bare, "")
	require.Len(t, skipped, 7)
	for rule, said := range skipped {
		require.Contains(t, said, "this rule was not tried: the place ", rule)
	}
}

// wrongStore is a store whose calls go through functions.
type wrongStore struct {
	*jobtest.Store
	lock func(ctx context.Context, job string) (rxcql.Checkpoint, error)
	with func(right rxcql.Checkpoint, job string) wrongCheckpoint
}

func (s *wrongStore) Lock(ctx context.Context, job string) (rxcql.Checkpoint, error) {
	lock := s.Store.Lock
	if s.lock != nil {
		lock = s.lock
	}
	c, err := lock(ctx, job)
	if err != nil || s.with == nil {
		return c, err
	}
	w := s.with(c, job)
	w.Checkpoint = c
	return &w, nil
}

// wrongCheckpoint does what its functions do, and else what is right.
type wrongCheckpoint struct {
	rxcql.Checkpoint
	load   func(ctx context.Context) ([]byte, error)
	save   func(ctx context.Context, data []byte) error
	lost   func() <-chan struct{}
	unlock func() error
}

func (c *wrongCheckpoint) Load(ctx context.Context) ([]byte, error) {
	if c.load != nil {
		return c.load(ctx)
	}
	return c.Checkpoint.Load(ctx)
}

func (c *wrongCheckpoint) Save(ctx context.Context, data []byte) error {
	if c.save != nil {
		return c.save(ctx, data)
	}
	return c.Checkpoint.Save(ctx, data)
}

func (c *wrongCheckpoint) Lost() <-chan struct{} {
	if c.lost != nil {
		return c.lost()
	}
	return c.Checkpoint.Lost()
}

func (c *wrongCheckpoint) Unlock() error {
	if c.unlock != nil {
		return c.unlock()
	}
	return c.Checkpoint.Unlock()
}

// wrongLock makes a place whose stores lock wrongly.
func wrongLock(lock func(right *jobtest.Store, ctx context.Context, job string) (rxcql.Checkpoint, error)) func(testing.TB) rxcqltest.CheckpointPlace {
	return memoryPlace(func(s *jobtest.Store) rxcql.CheckpointStore {
		return &wrongStore{Store: s, lock: func(ctx context.Context, job string) (rxcql.Checkpoint, error) { return lock(s, ctx, job) }}
	})
}

// wrong makes a place whose checkpoints are wrong.
func wrong(with func(right rxcql.Checkpoint, store *jobtest.Store, job string) wrongCheckpoint) func(testing.TB) rxcqltest.CheckpointPlace {
	return memoryPlace(func(s *jobtest.Store) rxcql.CheckpointStore {
		return &wrongStore{Store: s, with: func(c rxcql.Checkpoint, job string) wrongCheckpoint { return with(c, s, job) }}
	})
}

// saves makes a place where saving is wrong.
func saves(save func(ctx context.Context, right rxcql.Checkpoint, data []byte) error) func(testing.TB) rxcqltest.CheckpointPlace {
	return wrong(func(c rxcql.Checkpoint, _ *jobtest.Store, _ string) wrongCheckpoint {
		return wrongCheckpoint{save: func(ctx context.Context, data []byte) error { return save(ctx, c, data) }}
	})
}

// loads makes a place where loading is wrong.
func loads(load func(data []byte, err error) ([]byte, error)) func(testing.TB) rxcqltest.CheckpointPlace {
	return wrong(func(c rxcql.Checkpoint, _ *jobtest.Store, _ string) wrongCheckpoint {
		return wrongCheckpoint{load: func(ctx context.Context) ([]byte, error) { return load(c.Load(ctx)) }}
	})
}

// renamed makes a place that takes a job for another one.
func renamed(name func(string) string) func(testing.TB) rxcqltest.CheckpointPlace {
	return wrongLock(func(s *jobtest.Store, ctx context.Context, job string) (rxcql.Checkpoint, error) {
		return s.Lock(ctx, name(job))
	})
}

func TestTheSuiteFindsWhatIsWrongWithACheckpointStore(t *testing.T) {
	finds(t, rxcqltest.CheckpointRules, append(wrongSaves(), wrongLocks()...))
}
