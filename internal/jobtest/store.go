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

// Store keeps checkpoints in memory.
type Store struct {
	mu     sync.Mutex
	jobs   map[string][]byte
	locked map[string]bool
	saves  int

	FailSave func(n int) error // asked before save n, counted from 1; may be nil
	Lose     chan struct{}     // closed to take locks away; may be nil
}

// Lock implements rxcql.CheckpointStore.
func (s *Store) Lock(_ context.Context, job string) (rxcql.Checkpoint, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.locked[job] {
		return nil, rxcql.ErrCheckpointLocked
	}
	if s.locked == nil {
		s.locked = map[string]bool{}
	}
	s.locked[job] = true
	return &held{s, job}, nil
}

// Put replaces what was saved for a job.
func (s *Store) Put(job string, data []byte) {
	s.mu.Lock()
	defer s.mu.Unlock()
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

// Locked tells whether a job is locked.
func (s *Store) Locked(job string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.locked[job]
}

// held is one locked job.
type held struct {
	*Store
	job string
}

func (h *held) Load(context.Context) ([]byte, error) { return h.Get(h.job), nil }

func (h *held) Save(_ context.Context, data []byte) error {
	h.mu.Lock()
	h.saves++
	n := h.saves
	h.mu.Unlock()
	if h.FailSave != nil {
		if err := h.FailSave(n); err != nil {
			return err
		}
	}
	if _, err := saved.Decode(data); err != nil { // it could not be gone on from
		return err
	}
	h.Put(h.job, data)
	return nil
}

func (h *held) Lost() <-chan struct{} { return h.Lose }

func (h *held) Unlock() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.locked[h.job] = false
	return nil
}
