package operators_test

import (
	"cmp"
	"context"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

func TestWhatIsHandedOnIsGivenBackWhereAFunctionLeavesItsGoroutine(t *testing.T) {
	const rows = 70
	in := func() rxcql.Stream[int] { return count(rows, 7) }
	first := func(a, _ int) (int, error) { return a, nil }
	for name, s := range map[string]rxcql.Stream[int]{
		"source":      in(),
		"Zip":         operators.Zip(in(), in(), first),
		"MergeSorted": operators.MergeSorted(func(a, b int) int { return a - b }, in(), in()),
		"Reduce":      operators.Reduce(in(), func() int { return 0 }, first),
		"Conflate":    operators.Conflate(in(), func() int { return 0 }, first),
		"Batch": operators.Map(operators.Batch(in(), operators.BatchRows(14)),
			func(all []int) (int, error) { return len(all), nil }),
		"GroupAdjacent": operators.Map(operators.GroupAdjacent(in(), func(int) int { return 0 }, func() int { return 0 }, first),
			func(g operators.Group[int, int]) (int, error) { return g.Value, nil }),
		"GroupBy": operators.Map(operators.GroupBy(in(), func(int) int { return 0 }, func() int { return 0 }, first, operators.GroupByGroups(1)),
			func(g operators.Group[int, int]) (int, error) { return g.Value, nil }),
	} {
		alone(t, name, func(t *testing.T) { nothingIsLeft(t, goneAt(s, 1)) })
	}
}

// What an operator keeps is not in delivery when the function leaves.
func TestWhatAnOperatorKeepsIsGivenBackWhereAFunctionLeavesItsGoroutine(t *testing.T) {
	in := func() rxcql.Stream[int] { return count(70, 7) }
	first := func(a, _ int) (int, error) { return a, nil }
	zero := func() int { return 0 }
	same := func(_ context.Context, n int) (int, error) { return n, nil }
	group := func(g operators.Group[int, int]) (int, error) { return g.Value, nil }
	for name, made := range map[string]func(in rxcql.Stream[int]) rxcql.Stream[int]{
		"Batch": func(in rxcql.Stream[int]) rxcql.Stream[int] { return lengths(in, operators.BatchRows(10)) },
		"Batch with a linger": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return lengths(in, operators.BatchRows(10), operators.BatchLinger(time.Hour))
		},
		"Buffer":        func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Buffer(in, 100, rxcql.OverflowBlock) },
		"MapConcurrent": func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.MapConcurrent(in, 8, same) },
		"MapConcurrent without an order": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.MapConcurrent(in, 8, same, operators.Unordered())
		},
		"Conflate": func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Conflate(in, zero, first) },
		"Debounce": func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Debounce(in, time.Hour) },
		"Sample":   func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Sample(in, time.Hour) },
		"Distinct": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.Distinct(in, func(n int) int { return n }, operators.DistinctKeys(1000))
		},
		"GroupBy": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.Map(operators.GroupBy(in, func(n int) int { return n }, zero, first, operators.GroupByGroups(1000)), group)
		},
		"GroupAdjacent": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.Map(operators.GroupAdjacent(in, func(n int) int { return n / 10 }, zero, first), group)
		},
		"Reduce": func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Reduce(in, zero, first) },
		"Lanes": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.Lanes(in, 3, func(n int) int { return n }, func(in rxcql.Stream[int]) rxcql.Stream[int] { return lengths(in, operators.BatchRows(10)) })
		},
		"MergeJoin": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			one := func(int) int { return 1 }
			pairs := operators.MergeJoin(count(1, 1), in, one, one, cmp.Compare[int])
			return operators.Map(pairs, func(rxcql.Pair[int, int]) (int, error) { return 1, nil })
		},
	} {
		alone(t, name+", left behind it", func(t *testing.T) { nothingIsLeft(t, goneAt(made(in()), 1)) })
		alone(t, name+", left before it", func(t *testing.T) { nothingIsLeft(t, made(goneAt(in(), 40))) })
	}
}

func lengths(in rxcql.Stream[int], opts ...operators.BatchOption) rxcql.Stream[int] {
	return operators.Map(operators.Batch(in, opts...), func(all []int) (int, error) { return len(all), nil })
}

// goneAt has a function leave its goroutine in the n-th row.
func goneAt(in rxcql.Stream[int], n int) rxcql.Stream[int] {
	return operators.Tap(in, func(int) error {
		if n--; n == 0 {
			runtime.Goexit()
		}
		return nil
	})
}

func nothingIsLeft(t *testing.T, s rxcql.Stream[int]) {
	t.Helper()
	rep, err := operators.Merge(s, count(0, 1)).ForEach(t.Context(), func(int) error { return nil })
	require.ErrorContains(t, err, "Goexit")
	require.Zero(t, rep.BytesInFlight)
}
