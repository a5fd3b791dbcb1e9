//go:build !race

package operators_test

import (
	"cmp"
	"context"
	"errors"
	"math"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// These tests are not built with the race detector: it changes what the heap has, and the tests in
// retry_prop_test.go have the same operators behind Retry.

// How often a stream fails that is read again for a long time, and after how many failures each the
// heap is measured.
const (
	attempts   = 10_000
	perMeasure = 1_000
)

// atMost is what a thousand attempts may add. An account each would be more than 100 KB.
const atMost = 20 << 10

// growth measures how the heap grows from one thousand calls to the next.
type growth struct {
	calls int
	held  []int64 // after each thousand
	end   func()  // called at last; may be nil
}

var errEnough = errors.New("that is enough")

// call is called once in each attempt. It returns an error that may pass, and at last one that may
// not.
func (g *growth) call() error {
	if g.calls == 0 {
		makeDescriptors()
	}
	if g.calls++; g.calls%perMeasure == 0 {
		g.held = append(g.held, heapNow())
	}
	if g.calls < attempts {
		return errPasses
	}
	if g.end != nil {
		g.end()
	}
	return errEnough
}

// makeDescriptors has more goroutines at once than the test will have. The runtime keeps their
// descriptors for good and uses them again, and they are on the heap: it would grow each time when
// more goroutines than ever before have not quite ended.
func makeDescriptors() {
	over := make(chan struct{})
	var all sync.WaitGroup
	for range 5000 {
		all.Go(func() { <-over })
	}
	close(over)
	all.Wait()
}

// byThousand returns what a thousand attempts add: the median slope between any two measures, after
// Theil and Sen (https://en.wikipedia.org/wiki/Theil-Sen_estimator). The heap is the whole
// process's: what goroutines hold that are about to end comes and goes, and what is kept of each
// attempt is in all measures that follow.
func (g *growth) byThousand() int64 {
	var slopes []int64
	for i, held := range g.held {
		for j, before := range g.held[:i] {
			slopes = append(slopes, (held-before)/int64(i-j))
		}
	}
	slices.Sort(slopes)
	return slopes[len(slopes)/2]
}

// heapNow returns the least of several measures, between which others have time to end.
func heapNow() int64 {
	least := int64(math.MaxInt64)
	for range 5 {
		time.Sleep(time.Millisecond)
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		least = min(least, int64(m.HeapAlloc))
	}
	return least
}

func TestWhatEachAttemptKeepsIsSeen(t *testing.T) {
	g := &growth{}
	var kept []*[64]byte
	for errors.Is(g.call(), errPasses) {
		kept = append(kept, new([64]byte))
	}
	require.Greater(t, g.byThousand(), int64(atMost))
	require.Len(t, kept, attempts-1)
}

// failsEach gives some rows, and then fails.
func failsEach(g *growth) rxcql.Stream[int] {
	return source.Seq(func(yield func(int, error) bool) {
		for n := range 12 {
			if !yield(n, nil) {
				return
			}
		}
		yield(0, g.call())
	}, source.PageRows(5))
}

func TestAStreamThatFailsAgainAndAgainHoldsFlatMemory(t *testing.T) {
	itself := itself[int]
	for name, chain := range map[string]func(in rxcql.Stream[int]) rxcql.Stream[int]{
		"alone": func(in rxcql.Stream[int]) rxcql.Stream[int] { return in },
		"behind what keeps rows": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			in = operators.MapConcurrent(in, 3, ctxDouble)
			in = operators.FlatMap(operators.Batch(in, operators.BatchRows(4)), emitAll)
			in = operators.Buffer(in, 3, rxcql.OverflowBlock)
			in = operators.Distinct(in, itself, operators.DistinctKeys(100))
			return operators.Lanes(in, 2, itself, func(in rxcql.Stream[int]) rxcql.Stream[int] {
				return operators.FlatMap(operators.Batch(in, operators.BatchRows(2), operators.BatchLinger(time.Hour)), emitAll)
			})
		},
		"behind what folds": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			groups := operators.GroupAdjacent(in, func(n int) int { return n / 4 }, zero, add)
			sums := operators.Map(groups, func(g operators.Group[int, int]) (int, error) { return g.Value, nil })
			by := operators.GroupBy(sums, itself, zero, add, operators.GroupByGroups(100))
			in = operators.Map(by, func(g operators.Group[int, int]) (int, error) { return g.Value, nil })
			return operators.Reduce(in, zero, add)
		},
		"behind what reads several": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			in = operators.Zip(in, count(20, 3), pairSum)
			in = operators.Merge(operators.MergeSorted(cmp.Compare[int], in, count(10, 3)), count(3, 1))
			return operators.Concat(count(3, 1), in)
		},
		"behind windows": func(in rxcql.Stream[int]) rxcql.Stream[int] { return perKey(in) },
		"behind windows that have ended": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.Concat(perKey(count(12, 5)), in)
		},
		"behind windows of which a few are taken": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.Concat(operators.Take(perKey(count(12, 5)), 2), in)
		},
		"behind a join by time": func(in rxcql.Stream[int]) rxcql.Stream[int] { return inReach(in, count(12, 5)) },
		"behind a join by time that has ended": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.Concat(inReach(count(12, 5), count(12, 5)), in)
		},
		"and in another one that never does": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.Recover(in, count(1, 1), operators.RecoverIf(func(error) bool { return false }))
		},
		"within another that reads again as well": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.Retry(in, operators.RetryAttempts(3), operators.RetryDelay(time.Nanosecond, time.Nanosecond))
		},
	} {
		g := &growth{}
		_, err := operators.Retry(chain(failsEach(g)), atOnce()...).Count(t.Context())
		require.ErrorIs(t, err, errEnough, name)
		require.Equal(t, attempts, g.calls, name)
		require.Less(t, g.byThousand(), int64(atMost), "%s: %v", name, g.held)
	}
}

func TestAStreamThatIsReadAgainAndAgainWithinAnAttemptHoldsFlatMemory(t *testing.T) {
	g := &growth{}
	again := operators.Retry(failsEach(g), atOnce()...)
	never := operators.RecoverIf(func(error) bool { return false })
	_, err := operators.Recover(again, count(1, 1), never).Count(t.Context())
	require.ErrorIs(t, err, errEnough)
	require.Equal(t, attempts, g.calls)
	require.Less(t, g.byThousand(), int64(atMost), "%v", g.held)
}

// One stream is read twice: once again and again, and once by a reading that is there all the time.
func TestAStreamThatFailsNextToAReadingThatGoesOnHoldsFlatMemory(t *testing.T) {
	begun, over := make(chan struct{}), make(chan struct{})
	g := &growth{end: func() { close(over) }}
	readings := 0
	in := source.Seq(func(yield func(int, error) bool) {
		if readings++; readings > 1 {
			if yield(1, nil) {
				yield(0, g.call())
			}
			return
		}
		if yield(0, nil) {
			<-over
		}
	}, source.PageRows(1))
	batches := operators.FlatMap(operators.Batch(in, operators.BatchRows(1)), emitAll)
	goesOn := operators.Tap(batches, func(int) error { close(begun); return nil })
	afterIt := source.Seq(func(func(int, error) bool) { <-begun })
	again := operators.Retry(operators.Concat(afterIt, batches), atOnce()...)
	_, err := operators.Merge(goesOn, again).Count(t.Context())
	require.ErrorIs(t, err, errEnough)
	require.Equal(t, attempts, g.calls)
	require.Less(t, g.byThousand(), int64(atMost), "%v", g.held)
}

func TestAJobThatFailsAgainAndAgainHoldsFlatMemory(t *testing.T) {
	g := &growth{}
	parts := &jobtest.Parts[int]{PageRows: 1, Rows: [][]int{upTo(3), upTo(3)}}
	failing := operators.Map(parts.Stream(), func(n int) (int, error) {
		if n == 2 {
			return 0, g.call()
		}
		return n, nil
	})
	batches := operators.Batch(failing, operators.BatchRows(2), operators.BatchLinger(time.Hour))
	again := operators.Retry(operators.FlatMap(batches, emitAll), atOnce()...)
	to := sink.Each(func(context.Context, int) error { return nil }, sink.Idempotent(), sink.InFlight(2))
	_, err := rxcql.Run(t.Context(), again, to, rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
	require.ErrorIs(t, err, errEnough)
	require.Equal(t, attempts, g.calls)
	require.Less(t, g.byThousand(), int64(atMost), "%v", g.held)
}

func emitAll(rows []int, emit func(int) bool) error {
	for _, n := range rows {
		emit(n)
	}
	return nil
}

func pairSum(a, b int) (int, error) { return a + b, nil }
