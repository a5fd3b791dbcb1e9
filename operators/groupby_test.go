package operators_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

type textGroup = operators.Group[string, []int]

func TestGroupByMakesOneGroupOfAllRowsOfAKeyInTheOrderOfTheFirst(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rows := rapid.SliceOfN(rapid.IntRange(0, 2000), 0, 3000).Draw(rt, "rows")
		keys := rapid.SampledFrom([]int{1, 3, 40, 2001}).Draw(rt, "keys")
		key := func(n int) string { return fmt.Sprint("k", n%keys) }
		s := operators.GroupBy(pagesOf(rows, 2), key, func() []int { return nil },
			func(all []int, n int) ([]int, error) { return append(all, n), nil }, operators.GroupByGroups(int64(keys)))
		var want []textGroup
		for range 2 {
			for _, n := range rows {
				i := slices.IndexFunc(want, func(g textGroup) bool { return g.Key == key(n) })
				if i < 0 {
					i = len(want)
					want = append(want, textGroup{Key: key(n)})
				}
				want[i].Value, want[i].Rows = append(want[i].Value, n), want[i].Rows+1
			}
		}
		for range 2 { // a run knows nothing of the one before
			got, err := s.Collect(context.Background())
			require.NoError(rt, err)
			require.Equal(rt, want, got)
		}
	})
}

func TestGroupsOfGroupByComeInPagesAndSettleAllPagesTogether(t *testing.T) {
	for _, n := range []int{0, 1, 511, 512, 513, 5000} {
		var p *rxcql.Pipeline
		settled := int64(-1)
		pages := 0
		out := &gather[operators.Group[int, int]]{took: func(rows []operators.Group[int, int]) error {
			require.LessOrEqual(t, len(rows), 512)
			now := p.Progress()
			settled = max(settled, now.PagesSettled-now.EmptyPages)
			pages++
			return nil
		}}
		p, err := rxcql.New(operators.GroupBy(count(2*n, 100), func(i int) int { return i % max(n, 1) }, zero, add, operators.GroupByGroups(5000)), out)
		require.NoError(t, err)
		rep, err := p.Run(t.Context())
		require.NoError(t, err)
		require.True(t, rep.Complete)
		require.Equal(t, rep.Pages, rep.PagesSettled)
		require.Zero(t, rep.BytesInFlight)
		require.Len(t, out.rows(), n)
		for i, g := range out.rows() {
			require.Equal(t, operators.Group[int, int]{Key: i, Value: 2*i + n, Rows: 2}, g)
		}
		if n > 0 {
			require.Zero(t, settled, "while groups come out")
			require.Greater(t, pages, n/512)
		}
	}
}

func TestAKeyThatDoesNotEqualItselfMakesAGroupOfEachRow(t *testing.T) {
	nan := math.NaN()
	groups := collect(t, operators.GroupBy(from(nan, 1, nan, 1, nan), itself[float64], zero, func(n int, _ float64) (int, error) { return n + 1, nil }, operators.GroupByGroups(4)))
	var rows []int64
	for _, g := range groups {
		rows = append(rows, g.Rows)
	}
	require.Equal(t, []int64{1, 2, 1, 1}, rows)
	_, err := operators.GroupBy(from(nan, nan), itself[float64], zero, func(n int, _ float64) (int, error) { return n, nil }, operators.GroupByGroups(1)).Count(t.Context())
	require.ErrorIs(t, err, operators.ErrGroupByFull)
}

func TestGroupByRefusesWhatIsWrongAndJobs(t *testing.T) {
	one := operators.GroupByGroups(1)
	for text, s := range map[string]anyStream{
		"GroupBy: the key function is nil":             operators.GroupBy[int, int](count(1, 1), nil, zero, add, one),
		"the seed function is nil":                     operators.GroupBy(count(1, 1), itself[int], nil, add, one),
		"the fold is nil":                              operators.GroupBy[int, int, int](count(1, 1), itself[int], zero, nil, one),
		"no bound: give GroupByGroups or GroupByBytes": operators.GroupBy(count(1, 1), itself[int], zero, add),
		"GroupByGroups is 0":                           operators.GroupBy(count(1, 1), itself[int], zero, add, operators.GroupByGroups(0)),
		"GroupByBytes is -1":                           operators.GroupBy(count(1, 1), itself[int], zero, add, operators.GroupByBytes(-1)),
		"an option is nil":                             operators.GroupBy(count(1, 1), itself[int], zero, add, nil),
	} {
		_, err := s.Count(t.Context())
		require.ErrorIs(t, err, rxcql.ErrConfig)
		require.ErrorContains(t, err, text)
	}
	parts := &jobtest.Parts[int]{Rows: [][]int{{1}}, PageRows: 1}
	_, err := rxcql.New(operators.GroupBy(parts.Stream(), itself[int], zero, add, one),
		sink.Each(func(context.Context, operators.Group[int, int]) error { return nil }, sink.Idempotent()), rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
	require.ErrorIs(t, err, rxcql.ErrNotResumable)
	require.ErrorContains(t, err, "no checkpoint has its groups")
	require.ErrorContains(t, err, "GroupAdjacent")

	adjacent := operators.GroupAdjacent(operators.GroupBy(count(1, 1), itself[int], zero, add, one),
		func(g operators.Group[int, int]) int { return g.Key }, zero, func(n int, _ operators.Group[int, int]) (int, error) { return n, nil })
	_, err = adjacent.Count(t.Context())
	require.ErrorContains(t, err, "put GroupAdjacent before")
}

func TestGroupByFoldsInEachLane(t *testing.T) {
	groups := operators.Lanes(count(10_000, 100), 3, func(n int) int { return n % 50 }, func(in rxcql.Stream[int]) rxcql.Stream[operators.Group[int, int]] {
		return operators.GroupBy(in, func(n int) int { return n % 50 }, zero, add, operators.GroupByGroups(50))
	})
	got := collect(t, groups)
	require.Len(t, got, 50)
	for _, g := range got {
		require.EqualValues(t, 200, g.Rows)
		require.Equal(t, 200*g.Key+50*199*100, g.Value)
	}
}

func TestGroupByAllocatesNothingForARowOfAGroupThatIsThere(t *testing.T) {
	rows := make([]int, 512)
	for i := range rows {
		rows[i] = i % 7
	}
	s := operators.GroupBy(pagesOf(rows, 100), itself[int], zero, add, operators.GroupByGroups(7))
	plain := testing.AllocsPerRun(3, func() { collectNothing(t, pagesOf(rows, 100)) })
	allocs := testing.AllocsPerRun(3, func() {
		_, err := s.Count(t.Context())
		require.NoError(t, err)
	})
	require.Less(t, allocs-plain, 1000.0, "over 51,200 rows")
}
