package operators_test

import (
	"runtime"
	"testing"

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
		alone(t, name, func(t *testing.T) {
			left := operators.Tap(s, func(int) error { runtime.Goexit(); return nil })
			rep, err := operators.Merge(left, count(0, 1)).ForEach(t.Context(), func(int) error { return nil })
			require.ErrorContains(t, err, "Goexit")
			require.Zero(t, rep.BytesInFlight)
		})
	}
}
