package operators_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

var errSink = errors.New("the sink failed")

// lateSink makes rows durable later than Write, in other goroutines and in any
// order.
type lateSink struct {
	mu     sync.Mutex
	random *rand.Rand
	rows   []int
	failAt int // fails with that page, counted from 1

	st      *rxcql.Stage
	run     *rxcql.Execution
	account *flow.Account
	size    func(*int) int
	pages   int
	writes  sync.WaitGroup
}

func newLateSink(seed uint64, failAt int) *lateSink {
	return &lateSink{random: rand.New(rand.NewPCG(seed, 0)), failAt: failAt, size: rxcql.SizeFunc[int]()}
}

func (s *lateSink) Info() rxcql.SinkInfo { return rxcql.SinkInfo{} }

func (s *lateSink) Check(context.Context) error { return nil }

func (s *lateSink) Open(_ context.Context, r *rxcql.Execution) (rxcql.Writer[int], error) {
	s.st, s.run = r.SinkStage("late"), r
	s.account = s.st.Account(true)
	return s, nil
}

func (s *lateSink) Write(_ context.Context, p *flow.Page[int]) error {
	s.st.CountIn(len(p.Rows))
	s.pages++
	if s.pages == s.failAt {
		return errSink
	}
	if len(p.Rows) == 0 {
		return nil
	}
	var bytes int64
	for i := range p.Rows {
		bytes += int64(s.size(&p.Rows[i]))
	}
	s.rows = append(s.rows, p.Rows...)
	n := len(p.Rows)
	reservation := s.account.Reservation()
	reservation.Take(p.Reservation, bytes)
	s.mu.Lock()
	pauses := s.random.IntN(50)
	s.mu.Unlock()
	s.writes.Go(func() {
		for range pauses {
			runtime.Gosched()
		}
		s.st.CountWritten(n)
		reservation.Settle()
	})
	return nil
}

func (s *lateSink) Flush(context.Context) error {
	s.writes.Wait()
	return nil
}

func (s *lateSink) Close() error {
	s.writes.Wait()
	return nil
}
