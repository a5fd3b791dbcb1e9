package rxcqltest_test

import (
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/rxcqltest"
)

// shelf is a place in memory that rows are put on.
type shelf struct {
	mu      sync.Mutex
	rows    []int
	failing bool
	panics  bool
	stalled chan struct{} // nil unless writes hang
}

func (s *shelf) put(ctx context.Context, rows []int) error {
	s.mu.Lock()
	stalled := s.stalled
	s.mu.Unlock()
	if stalled != nil {
		select {
		case <-stalled:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.panics {
		panic("the shelf has come down")
	}
	if s.failing {
		return errDown
	}
	s.rows = append(s.rows, rows...)
	return nil
}

func (s *shelf) all() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.rows)
}

func (s *shelf) fail(fail bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing = fail
}

func (s *shelf) panic(panics bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.panics = panics
}

func (s *shelf) stall(stall bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case stall && s.stalled == nil:
		s.stalled = make(chan struct{})
	case !stall && s.stalled != nil:
		close(s.stalled)
		s.stalled = nil
	}
}

// shelfPlace is a place of the suite. change, which may be nil, makes its sinks wrong.
func shelfPlace(change func(t testing.TB, s *shelfSink)) func(testing.TB) rxcqltest.SinkPlace[int] {
	return func(t testing.TB) rxcqltest.SinkPlace[int] {
		place := &shelf{}
		return rxcqltest.SinkPlace[int]{
			Sink: func() rxcql.Sink[int] {
				s := &shelfSink{place: place, stage: "Shelf"}
				if change != nil {
					change(t, s)
				}
				return s
			},
			Row:    func(n int) int { return n },
			Bad:    func(n int) int { return -1 - n },
			Rows:   place.all,
			Fail:   place.fail,
			Stall:  place.stall,
			Panic:  place.panic,
			Around: func(inside rxcql.Sink[int]) rxcql.Sink[int] { return &relay{Sink: inside} },
		}
	}
}
