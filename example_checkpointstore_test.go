package rxcql_test

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// memoryStore keeps the checkpoints of jobs for as long as the process lives, which is
// enough for tests.
type memoryStore struct {
	mu    sync.Mutex
	saved map[string][]byte
	locks map[string]*memoryLock
}

// memoryLock is the checkpoint of a job, locked.
type memoryLock struct {
	store *memoryStore
	job   string
	lost  chan struct{}
}

func newMemoryStore() *memoryStore {
	return &memoryStore{saved: map[string][]byte{}, locks: map[string]*memoryLock{}}
}

func (s *memoryStore) Lock(ctx context.Context, job string) (rxcql.Checkpoint, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if s.locks[job] != nil {
		return nil, fmt.Errorf("job %q: %w", job, rxcql.ErrCheckpointLocked)
	}
	l := &memoryLock{store: s, job: job, lost: make(chan struct{})}
	s.locks[job] = l
	return l, nil
}

// Expire takes a job away from the process that has locked it.
func (s *memoryStore) Expire(job string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if l := s.locks[job]; l != nil {
		close(l.lost)
		delete(s.locks, job)
	}
}

func (l *memoryLock) Load(ctx context.Context) ([]byte, error) {
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return slices.Clone(l.store.saved[l.job]), nil // nil if nothing was saved
}

func (l *memoryLock) Save(ctx context.Context, data []byte) error {
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if l.store.locks[l.job] != l {
		return fmt.Errorf("job %q: %w", l.job, rxcql.ErrCheckpointLost)
	}
	l.store.saved[l.job] = slices.Clone(data)
	return nil
}

func (l *memoryLock) Lost() <-chan struct{} { return l.lost }

func (l *memoryLock) Unlock() error {
	l.store.mu.Lock()
	defer l.store.mu.Unlock()
	if l.store.locks[l.job] == l {
		delete(l.store.locks, l.job)
	}
	return nil
}

// A CheckpointStore of your own. To see that it keeps all rules call
// rxcqltest.TestCheckpointStore in a test of yours.
func ExampleCheckpointStore() {
	numbers := source.SeqFrom("numbers", func(from int64) iter.Seq2[int64, error] {
		return func(yield func(int64, error) bool) {
			for n := from; n < 100 && yield(n, nil); n++ {
			}
		}
	}, source.PageRows(10))
	power := false
	write := func(_ context.Context, n int64) error {
		if n == 57 && !power {
			return fmt.Errorf("a power cut")
		}
		return nil
	}
	store := newMemoryStore()
	p, err := rxcql.New(numbers, sink.Each(write, sink.Idempotent()), rxcql.WithCheckpoint(store, "numbers"))
	if err != nil {
		panic(err)
	}
	_, err = p.Run(context.Background())
	fmt.Println(err)

	power = true
	report, err := p.Run(context.Background())
	fmt.Println(report.ResumedRows, report.ReadRows, report.Complete, err)
	// Output:
	// rxcql: stage Each: range all, page 5, row 7: a power cut
	// 50 50 true <nil>
}
