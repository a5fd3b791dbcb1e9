package operators_test

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

func noTally() map[int]int { return map[int]int{} }

func tallyIn(state map[int]int, n int) (map[int]int, error) { state[n]++; return state, nil }

// tallies are the operators that fold, with a state that is a map, and what they give of
// two pages with the numbers 0 to 3.
func tallies(in rxcql.Stream[int]) map[string]rxcql.Stream[map[int]int] {
	half := func(n int) int { return n / 2 }
	return map[string]rxcql.Stream[map[int]int]{
		"Reduce": operators.Reduce(in, noTally, tallyIn),
		// The map is handed on after every row, so it is copied here.
		"Scan": operators.Scan(in, noTally, func(state map[int]int, n int) (map[int]int, error) {
			return tallyIn(maps.Clone(state), n)
		}),
		"GroupAdjacent": operators.Map(operators.GroupAdjacent(in, half, noTally, tallyIn),
			func(g operators.Group[int, map[int]int]) (map[int]int, error) { return g.Value, nil }),
		"GroupBy": operators.Map(operators.GroupBy(in, func(n int) int { return n % 2 }, noTally, tallyIn, operators.GroupByGroups(2)),
			func(g operators.Group[int, map[int]int]) (map[int]int, error) { return g.Value, nil }),
		"Window": operators.Map(operators.Window(in, operators.Tumbling(2*time.Second), second, func(int) int { return 0 }, noTally, tallyIn, operators.WindowKeys(2)),
			windowTally),
		"WindowAdjacent": operators.Map(operators.WindowAdjacent(in, operators.Tumbling(2*time.Second), second, func(int) int { return 0 }, noTally, tallyIn),
			windowTally),
	}
}

func windowTally(r operators.WindowResult[int, map[int]int]) (map[int]int, error) {
	return r.Value, nil
}

var tallied = map[string][]map[int]int{
	"Reduce":        {{0: 1, 1: 1, 2: 1, 3: 1}},
	"Scan":          {{0: 1}, {0: 1, 1: 1}, {0: 1, 1: 1, 2: 1}, {0: 1, 1: 1, 2: 1, 3: 1}},
	"GroupAdjacent": {{0: 1, 1: 1}, {2: 1, 3: 1}},
	"GroupBy":       {{0: 1, 2: 1}, {1: 1, 3: 1}},

	"Window": {{0: 1, 1: 1}, {2: 1, 3: 1}}, "WindowAdjacent": {{0: 1, 1: 1}, {2: 1, 3: 1}},
}

func TestAStateThatIsAMapBelongsToOneReadingAndOneGroup(t *testing.T) {
	for verb, s := range tallies(count(4, 2)) {
		for range 2 {
			require.Equal(t, tallied[verb], collect(t, s), verb)
		}
	}
}

func TestAStateThatIsAMapBelongsToOneReadingAlsoWithinARun(t *testing.T) {
	for verb, s := range tallies(count(4, 2)) {
		got := collect(t, operators.Merge(s, s))
		require.ElementsMatch(t, append(tallied[verb], tallied[verb]...), got, verb)
	}
}

func TestAStateThatIsAMapBelongsToOneRunInsideASinkToo(t *testing.T) {
	for verb := range tallied {
		var got []map[int]int
		p, err := rxcql.New(count(4, 2), sink.Through(func(in rxcql.Stream[int]) rxcql.Stream[map[int]int] {
			return tallies(in)[verb]
		}, sink.Each(func(_ context.Context, state map[int]int) error {
			got = append(got, state)
			return nil
		}, sink.InFlight(1))))
		require.NoError(t, err, verb)
		for range 2 {
			got = nil
			_, err := p.Run(t.Context())
			require.NoError(t, err, verb)
			require.Equal(t, tallied[verb], got, verb)
		}
	}
}

func TestASeedIsAskedForOnceAGroupOrReadingAndNotBefore(t *testing.T) {
	asked := 0
	seed := func() int { asked++; return 0 }
	for verb, c := range map[string]struct {
		s    anyStream
		want int
	}{
		"Reduce":            {operators.Reduce(count(100, 7), seed, add), 1},
		"Reduce of no rows": {operators.Reduce(count(0, 7), seed, add), 1},
		"Scan":              {operators.Scan(count(100, 7), seed, add), 1},
		"GroupAdjacent":     {operators.GroupAdjacent(count(100, 7), func(n int) int { return n / 10 }, seed, add), 10},
		"GroupBy":           {operators.GroupBy(count(100, 7), func(n int) int { return n % 10 }, seed, add, operators.GroupByGroups(10)), 10},
		"Window": {operators.Window(count(100, 7), operators.Tumbling(10*time.Second), second, func(int) int { return 0 }, seed, add,
			operators.WindowKeys(100)), 10},
		"WindowAdjacent":     {operators.WindowAdjacent(count(100, 7), operators.Tumbling(10*time.Second), second, func(int) int { return 0 }, seed, add), 10},
		"a group of no rows": {operators.GroupAdjacent(count(0, 7), func(n int) int { return n }, seed, add), 0},
	} {
		require.Zero(t, asked, "%s: nothing was read yet", verb)
		_, err := c.s.Count(t.Context())
		require.NoError(t, err, verb)
		require.Equal(t, c.want, asked, verb)
		asked = 0
	}
}

func TestAPanicInASeedNamesItsStage(t *testing.T) {
	boom := errors.New("boom")
	seed := func() int { panic(boom) }
	for verb, s := range map[string]anyStream{
		"Reduce":         operators.Reduce(count(10, 7), seed, add),
		"Scan":           operators.Scan(count(10, 7), seed, add),
		"GroupAdjacent":  operators.GroupAdjacent(count(10, 7), func(n int) int { return n }, seed, add),
		"GroupBy":        operators.GroupBy(count(10, 7), itself[int], seed, add, operators.GroupByGroups(10)),
		"Window":         operators.Window(count(10, 7), operators.Tumbling(time.Second), second, itself[int], seed, add, operators.WindowKeys(10)),
		"WindowAdjacent": operators.WindowAdjacent(count(10, 7), operators.Tumbling(time.Second), second, func(int) int { return 0 }, seed, add),
	} {
		_, err := s.Count(t.Context())
		require.ErrorIs(t, err, boom, verb)
		failedIn(t, verb, err)
		var stage *rxcql.StageError
		require.ErrorAs(t, err, &stage)
		require.Contains(t, string(stage.Stack), "seed_test.go", verb)
	}
}
