package operators_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

func TestWhatIsWrongWithLanesIsReportedOnce(t *testing.T) {
	var none func(int) (int, error)
	wrong := func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Map(in, none) }
	for says, s := range map[string]rxcql.Stream[int]{
		"Lanes: n is 0: must be at least 1":                      operators.Lanes(count(1, 1), 0, itself[int], sameRows),
		"Lanes: n is 1025: must be at most 1024":                 operators.Lanes(count(1, 1), 1025, itself[int], sameRows),
		"Lanes: the key function is nil":                         operators.Lanes[int, int](count(1, 1), 2, nil, sameRows),
		"Lanes: the chain is nil":                                operators.Lanes[int, int, int](count(1, 1), 2, itself[int], nil),
		"Map: the function is nil":                               operators.Lanes(count(1, 1), 3, itself[int], wrong),
		"Lanes: the chain: the function returned the zero":       operators.Lanes(count(1, 1), 3, itself[int], func(rxcql.Stream[int]) (s rxcql.Stream[int]) { return s }),
		"the function does not use the stream":                   operators.Lanes(count(1, 1), 3, itself[int], func(rxcql.Stream[int]) rxcql.Stream[int] { return count(1, 1) }),
		"the function brings in another source: Seq; merge":      operators.Lanes(count(1, 1), 3, itself[int], func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Merge(in, count(1, 1)) }),
		"Lanes in: its input is the zero Stream":                 operators.Lanes(rxcql.Stream[int]{}, 2, itself[int], sameRows),
		"Skip: n is -2: must be at least 0":                      operators.Lanes(operators.Skip(count(1, 1), -2), 0, itself[int], sameRows),
		"put GroupAdjacent before the operator that mixes them":  operators.Lanes(operators.Merge(count(1, 1), count(1, 1)), 2, itself[int], tensOf),
		"GroupAdjacent: rows of one partition do not arrive tog": tensOf(operators.Lanes(count(1, 1), 2, itself[int], sameRows)),
	} {
		_, err := s.Collect(t.Context())
		require.ErrorIs(t, err, rxcql.ErrConfig, says)
		require.ErrorContains(t, err, says)
		require.Equal(t, 1, strings.Count(err.Error(), says), err.Error())
	}
	require.Equal(t, []int{0, 45, 145}, append([]int{0}, collect(t, tensOf(operators.Lanes(count(20, 3), 1, itself[int], sameRows)))...), "one lane mixes nothing")
}

// tensOf are the sums of rows that are together and have the same tens.
func tensOf(in rxcql.Stream[int]) rxcql.Stream[int] {
	groups := operators.GroupAdjacent(in, func(n int) int { return n / 10 }, zero, add)
	return operators.Map(groups, func(g operators.Group[int, int]) (int, error) { return g.Value, nil })
}

func TestTheStreamGivenToTheChainOfLanesIsOfNoUseElsewhere(t *testing.T) {
	var leaked rxcql.Stream[int]
	operators.Lanes(count(1, 1), 1, itself[int], func(in rxcql.Stream[int]) rxcql.Stream[int] { leaked = in; return in })
	_, err := leaked.Collect(t.Context())
	require.ErrorContains(t, err, "can only be read in that chain")
	_, err = operators.Lanes(count(100, 10), 2, itself[int], func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Merge(in, in) }).Collect(t.Context())
	require.ErrorContains(t, err, "can be read only once")
}

func TestLanesMayStandInASinkAndAreRefusedBeforeATableOfSeveralSinks(t *testing.T) {
	var got []int
	all := sink.Each(func(_ context.Context, n int) error { got = append(got, n); return nil })
	rep, err := rxcql.Run(t.Context(), count(1000, 64), sink.Tee(sink.Through(func(in rxcql.Stream[int]) rxcql.Stream[int] {
		return laned(in, 3, func(int) error { return nil })
	}, all), &gather[int]{}))
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.Equal(t, rep.Pages, rep.PagesSettled)
	slices.Sort(got)
	require.Equal(t, upTo(1000), got)
	require.True(t, laned(count(1, 1), 2, nil).Info().OutOfStep())
}
