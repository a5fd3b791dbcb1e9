// Package jobtest has what tests of jobs with checkpoints need: a store in memory
// and a source of several parts that can be resumed.
package jobtest

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/saved"
)

// Store keeps checkpoints in memory. Everything that is asked of it fails while
// Break has given it an error.
type Store struct {
	mu     sync.Mutex
	jobs   map[string][]byte
	locks  map[string]*held // by job: who works on it
	saves  int
	broken error

	FailSave func(n int) error        // asked before save n, counted from 1; may be nil
	Lose     chan struct{}            // closed to take all locks away; may be nil
	AnyBytes bool                     // also bytes that no run could go on from are saved
	Saved    func(*saved.State) error // called with each save, in the saving goroutine; may be nil
}

// Lock implements rxcql.CheckpointStore.
func (s *Store) Lock(ctx context.Context, job string) (rxcql.Checkpoint, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	if s.locks[job] != nil {
		return nil, rxcql.ErrCheckpointLocked
	}
	if s.locks == nil {
		s.locks = map[string]*held{}
	}
	h := &held{Store: s, job: job, lost: s.Lose}
	if h.lost == nil {
		h.lost = make(chan struct{})
	}
	s.locks[job] = h
	return h, nil
}

// ready reports why nothing can be done; under mu.
func (s *Store) ready(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return s.broken
}

// Break makes everything fail with an error, and with nil makes it work again.
func (s *Store) Break(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.broken = err
}

// Expire takes the lock of a job away from its holder. Lost is closed.
func (s *Store) Expire(job string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if h := s.locks[job]; h != nil {
		delete(s.locks, job)
		if h.lost != s.Lose {
			close(h.lost)
		}
	}
}

// Put replaces what was saved for a job.
func (s *Store) Put(job string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(job, data)
}

func (s *Store) put(job string, data []byte) {
	if s.jobs == nil {
		s.jobs = map[string][]byte{}
	}
	s.jobs[job] = slices.Clone(data)
}

// Get is what was saved for a job, nil if nothing was.
func (s *Store) Get(job string) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.jobs[job])
}

// State is the same, decoded.
func (s *Store) State(job string) (*saved.State, error) {
	data := s.Get(job)
	if data == nil {
		return nil, errors.New("nothing was saved")
	}
	return saved.Decode(data)
}

// Locked reports whether a job is locked.
func (s *Store) Locked(job string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.locks[job] != nil
}

// held is one locked job.
type held struct {
	*Store
	job  string
	lost chan struct{}
}

func (h *held) Load(ctx context.Context) ([]byte, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.ready(ctx); err != nil {
		return nil, err
	}
	return slices.Clone(h.jobs[h.job]), nil
}

func (h *held) Save(ctx context.Context, data []byte) error {
	h.mu.Lock()
	h.saves++
	n := h.saves
	h.mu.Unlock()
	if h.FailSave != nil {
		if err := h.FailSave(n); err != nil {
			return err
		}
	}
	if !h.AnyBytes {
		if err := h.follows(data); err != nil {
			return err
		}
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.ready(ctx); err != nil {
		return err
	}
	if h.locks[h.job] != h {
		return rxcql.ErrCheckpointLost
	}
	h.put(h.job, data)
	return nil
}

// follows fails if no run can have saved this, or can have saved it after what is there.
func (h *held) follows(data []byte) error {
	now, err := saved.Decode(data)
	if err != nil {
		return err
	}
	if h.Saved != nil {
		if err := h.Saved(now); err != nil {
			return err
		}
	}
	if before, err := h.State(h.job); err == nil {
		return now.Follows(before)
	}
	return nil
}

func (h *held) Lost() <-chan struct{} { return h.lost }

func (h *held) Unlock() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.locks[h.job] == h {
		delete(h.locks, h.job)
	}
	return nil
}
