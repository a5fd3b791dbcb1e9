//go:build !race

package operators_test

import (
	"cmp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

// Each attempt is a reading of its own, with parts of its own. Nothing of those that have failed
// stays in what stands behind Retry. Rows go on in time, as those of a table that is tailed.
func TestWhatStandsBehindAStreamThatFailsAgainAndAgainHoldsFlatMemory(t *testing.T) {
	itself := itself[int]
	timed := func(in rxcql.Stream[int]) rxcql.Stream[int] {
		return operators.EventTime(in, func(n int) (time.Time, error) { return second(n), nil }, operators.OutOfOrderness(time.Minute))
	}
	windows := func(in rxcql.Stream[int]) rxcql.Stream[int] {
		sums := operators.Window(in, operators.Tumbling(10*time.Second), second, func(n int) int { return n % 3 }, zero, add,
			operators.WindowKeys(1000), operators.AllowedLateness(10*time.Second))
		return operators.Map(sums, func(r operators.WindowResult[int, int]) (int, error) { return r.Value, nil })
	}
	sessions := func(in rxcql.Stream[int]) rxcql.Stream[int] {
		sums := operators.Window(in, operators.Session(time.Second), second, func(n int) int { return n % 3 }, zero, add,
			operators.WindowKeys(1000), operators.MergeStates(add))
		return operators.Map(sums, func(r operators.WindowResult[int, int]) (int, error) { return r.Value, nil })
	}
	same := func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Tap(in, func(int) error { return nil }) }
	for name, chain := range map[string]func(in rxcql.Stream[int]) rxcql.Stream[int]{
		"Lanes": func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Lanes(in, 3, itself, same) },
		"Lanes in Lanes": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.Lanes(in, 2, itself, lanedInts(2, same))
		},
		"windows":              func(in rxcql.Stream[int]) rxcql.Stream[int] { return windows(timed(in)) },
		"sessions":             func(in rxcql.Stream[int]) rxcql.Stream[int] { return sessions(timed(in)) },
		"windows in Lanes":     func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Lanes(timed(in), 3, itself, windows) },
		"Lanes, one that ends": func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Lanes(in, 2, itself, firstLaneTakes()) },
		"what reads several": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.Merge(operators.Concat(count(3, 1), in), count(3, 1))
		},
		"a stream in order": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.MergeSorted(cmp.Compare[int], in, count(3, 1))
		},
		"pairs": func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Zip(in, count(1<<40, 10), pairSum) },
		"Batch": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.FlatMap(operators.Batch(in, operators.BatchRows(5)), emitAll)
		},
		"a crew": func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.MapConcurrent(in, 3, ctxDouble) },
		"a crew, not in order": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.MapConcurrent(in, 3, ctxDouble, operators.Unordered())
		},
		"a queue":               func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Buffer(in, 3, rxcql.OverflowBlock) },
		"a queue that gives up": func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Buffer(in, 3, rxcql.OverflowDropOldest) },
		"what folds the newest": func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Conflate(in, zero, add) },
		"a time limit":          func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Timeout(in, time.Hour) },
	} {
		g, now := &growth{}, 0
		goesOn := operators.Map(failsEach(g), func(int) (int, error) { now++; return now, nil })
		_, err := chain(operators.Retry(goesOn, atOnce()...)).Count(t.Context())
		require.ErrorIs(t, err, errEnough, name)
		require.Equal(t, attempts, g.calls, name)
		require.Less(t, g.byThousand(), int64(atMost), "%s: %v", name, g.held)
	}
}

func lanedInts(n int, chain func(rxcql.Stream[int]) rxcql.Stream[int]) func(rxcql.Stream[int]) rxcql.Stream[int] {
	return func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Lanes(in, n, itself[int], chain) }
}

// firstLaneTakes makes chains of which the first takes a few rows alone.
func firstLaneTakes() func(rxcql.Stream[int]) rxcql.Stream[int] {
	made := 0
	return func(in rxcql.Stream[int]) rxcql.Stream[int] {
		if made++; made == 1 {
			return operators.Take(in, 5)
		}
		return operators.Tap(in, func(int) error { return nil })
	}
}
