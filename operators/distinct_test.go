package operators_test

import (
	"context"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

func TestDistinctGivesTheFirstRowOfEachKeyAndForgetsTheOldestAtItsBound(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rows := rapid.SliceOfN(rapid.IntRange(0, 30), 0, 200).Draw(rt, "rows")
		bound := rapid.IntRange(1, 32).Draw(rt, "bound")
		text := func(n int) string { return strings.Repeat("k", n) }
		var model []string
		var want []int
		forgot := 0
		for _, n := range rows {
			if slices.Contains(model, text(n)) {
				continue
			}
			want = append(want, n)
			if len(model) == bound {
				model, forgot = model[1:], forgot+1
			}
			model = append(model, text(n))
		}
		var pages []part[int]
		for page := range slices.Chunk(rows, rapid.IntRange(1, 20).Draw(rt, "page")) {
			pages = append(pages, part[int]{rapid.IntRange(0, 2).Draw(rt, "part"), page, false})
		}
		told := 0
		s := operators.Distinct(ranges(pages...), text, operators.DistinctKeys(int64(bound)), operators.ForgetOldest(func(keys int) { told += keys }))
		out := &gather[int]{}
		p, err := rxcql.New(s, out)
		require.NoError(rt, err)
		rep, err := p.Run(context.Background())
		require.NoError(rt, err)
		require.Equal(rt, want, out.rows())
		require.Equal(rt, forgot, told)
		require.Equal(rt, rep.ReadRows, rep.Written+rep.Filtered)
		require.Equal(rt, rep.Pages, rep.PagesSettled)
		require.Zero(rt, rep.BytesInFlight)

		_, err = operators.Distinct(ranges(pages...), text, operators.DistinctKeys(int64(bound))).Collect(context.Background())
		if forgot == 0 {
			require.NoError(rt, err)
		} else {
			require.ErrorIs(rt, err, operators.ErrDistinctFull)
			failedIn(t, "Distinct", err)
		}
	})
}

func TestDistinctIsBoundedByBytesToo(t *testing.T) {
	text := func(n int) string { return strings.Repeat("k", 1000) + string(rune('a'+n)) }
	_, err := operators.Distinct(count(20, 3), text, operators.DistinctBytes(10_000)).Collect(t.Context())
	require.ErrorIs(t, err, operators.ErrDistinctFull)
	require.ErrorContains(t, err, "ForgetOldest")
	told := 0
	got := collect(t, operators.Distinct(count(20, 3), text, operators.DistinctBytes(10_000), operators.ForgetOldest(func(n int) { told += n })))
	require.Equal(t, upTo(20), got)
	require.InDelta(t, 11, told, 1, "nine keys of somewhat more than 1,000 bytes have room")
	_, err = operators.Distinct(count(20, 3), text, operators.DistinctBytes(10), operators.ForgetOldest(nil)).Collect(t.Context())
	require.ErrorIs(t, err, operators.ErrDistinctFull, "one key alone is too large")
}

func TestKeysOfDistinctAreChargedAndNamedWhereTheBudgetHasNoRoom(t *testing.T) {
	s := operators.Distinct(count(10_000, 100), itself[int], operators.DistinctKeys(1<<20))
	rep, err := s.ForEach(t.Context(), func(int) error { return nil })
	require.NoError(t, err)
	require.Greater(t, rep.PeakBytes, int64(160_000))
	require.Zero(t, rep.BytesInFlight)
	_, err = s.Count(t.Context(), rxcql.WithBudget(rxcql.MinBudgetPerInput))
	var held *flow.BudgetHeldError
	require.ErrorAs(t, err, &held)
	require.Equal(t, "Distinct", held.Stage)
}

func TestDistinctKeepsNoNaN(t *testing.T) {
	nan := math.NaN()
	n, err := operators.Distinct(from(nan, 1, nan, 1, nan), itself[float64], operators.DistinctKeys(1)).Count(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 4, n)
}

func TestDistinctRefusesWhatIsWrongAndJobs(t *testing.T) {
	for text, s := range map[string]rxcql.Stream[int]{
		"the key function is nil": operators.Distinct[int, int](count(1, 1), nil, operators.DistinctKeys(1)),
		"no bound":                operators.Distinct(count(1, 1), itself[int]),
		"DistinctKeys is 0":       operators.Distinct(count(1, 1), itself[int], operators.DistinctKeys(0)),
		"DistinctBytes is -1":     operators.Distinct(count(1, 1), itself[int], operators.DistinctBytes(-1)),
	} {
		_, err := s.Collect(t.Context())
		require.ErrorIs(t, err, rxcql.ErrConfig)
		require.ErrorContains(t, err, text)
	}
	parts := &jobtest.Parts[int]{Rows: [][]int{{1}}, PageRows: 1}
	_, err := rxcql.New(operators.Distinct(parts.Stream(), itself[int], operators.DistinctKeys(9)),
		sink.Each(func(context.Context, int) error { return nil }, sink.Idempotent()), rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
	require.ErrorIs(t, err, rxcql.ErrNotResumable)
	require.ErrorContains(t, err, "DistinctAdjacent")
}

func TestDistinctBeginsAfreshInEachRun(t *testing.T) {
	s := operators.Distinct(from(1, 2, 1), itself[int], operators.DistinctKeys(2))
	for range 2 {
		require.Equal(t, []int{1, 2}, collect(t, s))
	}
}

func TestDistinctAllocatesNothingForAKeyThatItHasMet(t *testing.T) {
	rows := make([]int, 512)
	s := operators.Distinct(pagesOf(rows, 100), itself[int], operators.DistinctKeys(9), operators.ForgetOldest(nil))
	plain := testing.AllocsPerRun(3, func() { collectNothing(t, pagesOf(rows, 100)) })
	require.Less(t, testing.AllocsPerRun(3, func() { collectNothing(t, s) })-plain, 1000.0, "over 51,200 rows")
}

func collectNothing(t *testing.T, s rxcql.Stream[int]) {
	t.Helper()
	_, err := s.Count(t.Context())
	require.NoError(t, err)
}
