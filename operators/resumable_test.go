package operators_test

import (
	"context"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"time"

	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
)

// cell is a row: the place that it came from, and what it holds.
type cell struct{ part, row, copy, value int }

func rowOf(c cell) int { return c.row }

func (c cell) key() cell { return cell{c.part, c.row, c.copy, 0} }

// resumable is a random chain of operators that can be resumed, and what it makes
// of a row of the source.
type resumable struct {
	s     rxcql.Stream[cell]
	makes func(cell) []cell
}

// then adds to what is made of a row.
func (c *resumable) then(fn func(cell) []cell) {
	before := c.makes
	c.makes = func(n cell) (out []cell) {
		for _, each := range before(n) {
			out = append(out, fn(each)...)
		}
		return out
	}
}

// resumableVerbs are those that grow knows.
var resumableVerbs = []string{"Map", "Filter", "FlatMap", "MapConcurrent", "Unordered", "Lookup", "Lookup unordered", "Batch", "Batch timed", "Lanes", "Throttle", "Buffer", "Timeout", "Retry"}

func (c *resumable) grow(rt *rapid.T, fail func() error, verbs ...string) {
	k := rapid.IntRange(1, 9).Draw(rt, "k")
	switch rapid.SampledFrom(verbs).Draw(rt, "verb") {
	case "Map":
		c.s = operators.Map(c.s, func(n cell) (cell, error) { return cell{n.part, n.row, n.copy, n.value + k}, fail() })
		c.then(func(n cell) []cell { return []cell{{n.part, n.row, n.copy, n.value + k}} })
	case "Filter":
		keep := func(n cell) bool { return n.row%(k+1) != 0 }
		c.s = operators.Filter(c.s, keep)
		c.then(func(n cell) []cell { return []cell{n}[:btoi(keep(n))] })
	case "FlatMap":
		several := func(n cell) (out []cell) {
			for i := range n.row % 3 {
				out = append(out, cell{n.part, n.row, n.copy*3 + i, n.value})
			}
			return out
		}
		c.s = operators.FlatMap(c.s, func(n cell, emit func(cell) bool) error {
			for _, each := range several(n) {
				emit(each)
			}
			return fail()
		})
		c.then(several)
	case "MapConcurrent":
		c.s = operators.MapConcurrent(c.s, k, func(_ context.Context, n cell) (cell, error) { return n, fail() })
	case "Unordered":
		c.s = operators.MapConcurrent(c.s, k, func(_ context.Context, n cell) (cell, error) { return n, fail() }, operators.Unordered())
	case "Lookup":
		c.s = lookUpCustomer(c.s, rowOf, func(n cell) (cell, error) { return n, fail() }, operators.LookupInFlight(k))
	case "Lookup unordered":
		c.s = lookUpCustomer(c.s, rowOf, func(n cell) (cell, error) { return n, fail() }, operators.LookupInFlight(k),
			operators.LookupCache(1<<12, time.Hour), operators.Unordered())
	case "Throttle":
		c.s = operators.Throttle(c.s, rxcql.NewRate(rxcql.RowsPerSecond(float64(k)*50_000), rxcql.RateBurst(time.Millisecond)))
	case "Buffer":
		c.s = operators.Buffer(c.s, k, rxcql.OverflowBlock)
	case "Timeout":
		c.s = operators.Timeout(c.s, time.Hour)
	case "Retry": // of what may pass, as retried.call gives
		c.s = operators.Retry(c.s, atOnce()...)
	case "Batch":
		c.s = flat(operators.Batch(c.s, operators.BatchRows(k)))
	case "Lanes":
		several := func(n cell) (out []cell) {
			for i := range n.row % 3 {
				out = append(out, cell{n.part, n.row, n.copy*3 + i, n.value})
			}
			return out
		}
		batches := rapid.Bool().Draw(rt, "batches") && slices.Contains(verbs, "Batch timed")
		c.s = operators.Lanes(c.s, 1+k%4, func(n cell) int { return n.row % 7 }, func(in rxcql.Stream[cell]) rxcql.Stream[cell] {
			in = operators.FlatMap(in, func(n cell, emit func(cell) bool) error {
				for _, each := range several(n) {
					emit(each)
				}
				return fail()
			})
			if batches {
				in = flat(operators.Batch(in, operators.BatchRows(k+3), operators.BatchLinger(50*time.Microsecond)))
			}
			return operators.MapConcurrent(in, k, func(_ context.Context, n cell) (cell, error) { return n, fail() })
		})
		c.then(several)
	case "Batch timed":
		c.s = flat(operators.Batch(c.s, operators.BatchRows(k+3), operators.BatchLinger(50*time.Microsecond)))
	}
}

func flat(in rxcql.Stream[[]cell]) rxcql.Stream[cell] {
	return operators.FlatMap(in, func(rows []cell, emit func(cell) bool) error {
		for _, row := range rows {
			emit(row)
		}
		return nil
	})
}

// durable is a sink that keeps what it wrote from run to run. Rows become durable
// later than Write, in any order; of two with one key the later in the stream
// wins.
type durable struct {
	mu     sync.Mutex
	random *rand.Rand
	rows   map[cell]int
	order  map[cell]int
	wrote  int
	failAt int // fails with that page of a run, counted from 1

	st      *rxcql.Stage
	account *flow.Account
	pages   int
	writes  sync.WaitGroup
}

func newDurable(seed uint64) *durable {
	return &durable{random: rand.New(rand.NewPCG(seed, 0)), rows: map[cell]int{}, order: map[cell]int{}}
}

func (s *durable) Check(context.Context) error { return nil }

func (s *durable) Info() rxcql.SinkInfo { return rxcql.SinkInfo{Resumable: true} }

func (s *durable) Open(_ context.Context, r *rxcql.Execution) (rxcql.Writer[cell], error) {
	s.st, s.pages = r.SinkStage("durable"), 0
	s.account = s.st.Account(true)
	return s, nil
}

func (s *durable) Write(_ context.Context, p *flow.Page[cell]) error {
	s.st.CountIn(len(p.Rows))
	if s.pages++; s.pages == s.failAt {
		return errSink
	}
	if len(p.Rows) == 0 {
		return nil
	}
	rows := append([]cell{}, p.Rows...)
	reservation := s.account.Reservation()
	reservation.Take(p.Reservation, 1)
	s.mu.Lock()
	pauses, first := s.random.IntN(50), s.wrote
	s.wrote += len(rows)
	s.mu.Unlock()
	s.writes.Go(func() {
		for range pauses {
			runtime.Gosched()
		}
		s.mu.Lock()
		for i, row := range rows {
			if s.order[row.key()] <= first+i {
				s.rows[row.key()], s.order[row.key()] = row.value, first+i
			}
		}
		s.mu.Unlock()
		s.st.CountWritten(len(rows))
		reservation.Settle()
	})
	return nil
}

func (s *durable) Flush(context.Context) error {
	s.writes.Wait()
	return nil
}

func (s *durable) Close() error {
	s.writes.Wait()
	return nil
}
