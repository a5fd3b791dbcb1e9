package operators_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
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

func noBytes() []byte { return nil }

func alwaysSome([]byte, int) ([]byte, error) { return make([]byte, 4096), nil }

// thenNone keeps 4 KiB of every even row, and nothing behind an odd one.
func thenNone(_ []byte, n int) ([]byte, error) {
	if n%2 == 1 {
		return nil, nil
	}
	return make([]byte, 4096), nil
}

func TestGroupByEndsWithAnErrorAtItsBoundsAndHandsOnNothing(t *testing.T) {
	text := func(n int) string { return strings.Repeat("k", 1000) + fmt.Sprint(n) }
	list := func() []int { return nil }
	collectInts := func(all []int, n int) ([]int, error) { return append(all, n), nil }
	table := func() map[int]int { return map[int]int{} }
	for name, c := range map[string]struct {
		s     anyStream
		wants bool // has room
	}{
		"as many groups":         {operators.GroupBy(count(1000, 7), func(n int) int { return n % 10 }, zero, add, operators.GroupByGroups(10)), true},
		"one more":               {operators.GroupBy(count(1000, 7), func(n int) int { return n % 11 }, zero, add, operators.GroupByGroups(10)), false},
		"keys that are large":    {operators.GroupBy(count(20, 3), text, zero, add, operators.GroupByBytes(10_000)), false},
		"with room":              {operators.GroupBy(count(20, 3), text, zero, add, operators.GroupByBytes(30_000)), true},
		"states that grow":       {operators.GroupBy(count(20_000, 100), func(n int) int { return n % 2 }, list, collectInts, operators.GroupByBytes(100_000)), false},
		"in one page":            {operators.GroupBy(count(20_000, 20_000), func(n int) int { return n % 2 }, list, collectInts, operators.GroupByBytes(100_000)), false},
		"states that are a map":  {operators.GroupBy(count(20_000, 100), func(n int) int { return n % 2 }, table, tallyIn, operators.GroupByBytes(100_000)), false},
		"states that shrink":     {operators.GroupBy(count(400, 7), func(n int) int { return n / 2 }, noBytes, thenNone, operators.GroupByBytes(60_000)), true},
		"states that do not":     {operators.GroupBy(count(400, 7), func(n int) int { return n / 2 }, noBytes, alwaysSome, operators.GroupByBytes(60_000)), false},
		"both bounds, the first": {operators.GroupBy(count(100, 7), itself[int], zero, add, operators.GroupByGroups(10), operators.GroupByBytes(1<<30)), false},
		"both, the second":       {operators.GroupBy(count(100, 7), itself[int], zero, add, operators.GroupByGroups(1000), operators.GroupByBytes(1000)), false},
	} {
		came, err := c.s.Count(t.Context())
		if c.wants {
			require.NoError(t, err, name)
			require.Positive(t, came, name)
			continue
		}
		require.ErrorIs(t, err, operators.ErrGroupByFull, name)
		require.ErrorContains(t, err, "GroupAdjacent")
		require.Zero(t, came, name)
		failedIn(t, "GroupBy", err)
	}
}

func TestGroupsOfGroupByAreChargedAndNamedWhereTheBudgetHasNoRoom(t *testing.T) {
	rep, err := run(t, operators.GroupBy(count(10_000, 100), itself[int], zero, add, operators.GroupByGroups(1<<20)))
	require.NoError(t, err)
	require.Greater(t, rep.PeakBytes, int64(300_000))
	require.Zero(t, rep.BytesInFlight)
	_, err = operators.GroupBy(count(10_000, 100), itself[int], zero, add, operators.GroupByGroups(1<<20)).Count(t.Context(), rxcql.WithBudget(rxcql.MinBudgetPerInput))
	var held *flow.BudgetHeldError
	require.ErrorAs(t, err, &held)
	require.Equal(t, "GroupBy", held.Stage)

	states := operators.GroupBy(mixed(5000), func(text string) int { return len(text) % 3 }, func() []string { return nil },
		func(all []string, text string) ([]string, error) { return append(all, text), nil }, operators.GroupByGroups(3))
	_, err = states.Count(t.Context(), rxcql.WithBudget(1<<20))
	require.ErrorAs(t, err, &held, "states that grow are charged too")
	require.Equal(t, "GroupBy", held.Stage)
}

func TestTheMemoryOfGroupByIsBoundedByTheBudgetWhateverFoldsMakeOfRows(t *testing.T) {
	const budget = 8 << 20
	page := make([]int, 1000)
	for i := range page {
		page[i] = i
	}
	every := map[string]int{"rows that become much more": 100, "text that is put together": 50_000}
	for name, s := range map[string]func(key func(int) int, check func()) anyStream{
		"slices": func(key func(int) int, check func()) anyStream {
			return operators.GroupBy(pagesOf(page, 20_000), key, func() []int { return nil }, func(all []int, n int) ([]int, error) {
				check()
				return append(all, n), nil
			}, operators.GroupByGroups(1<<20))
		},
		"maps": func(key func(int) int, check func()) anyStream {
			next := 0
			return operators.GroupBy(pagesOf(page, 20_000), key, noTally, func(all map[int]int, _ int) (map[int]int, error) {
				check()
				next++
				all[next] = next
				return all, nil
			}, operators.GroupByGroups(1<<20))
		},
		"rows that become much more": func(key func(int) int, check func()) anyStream {
			return operators.GroupBy(pagesOf(page, 20_000), key, func() [][]byte { return nil }, func(all [][]byte, _ int) ([][]byte, error) {
				check()
				return append(all, make([]byte, 4<<10)), nil
			}, operators.GroupByGroups(1<<20))
		},
		"text that is put together": func(key func(int) int, check func()) anyStream {
			return operators.GroupBy(pagesOf(page, 20_000), key, func() string { return "" }, func(all string, _ int) (string, error) {
				check()
				return all + "0123456789", nil
			}, operators.GroupByGroups(1<<20))
		},
	} {
		for _, keys := range []int{1, 100, 1000} {
			if name == "text that is put together" && keys < 1000 {
				continue // the fold takes quadratic time
			}
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			before, most, calls := int64(m.HeapAlloc), int64(0), 0
			check := func() {
				if calls++; calls%max(every[name], 20_000*btoi(every[name] == 0)) == 0 {
					runtime.GC()
					runtime.ReadMemStats(&m)
					most = max(most, int64(m.HeapAlloc)-before)
				}
			}
			_, err := s(func(n int) int { return n % keys }, check).Count(t.Context(), rxcql.WithBudget(budget))
			require.ErrorIs(t, err, rxcql.ErrBudgetHeld, name)
			require.LessOrEqual(t, most, int64(3*budget+16<<20), "%s, %d keys", name, keys)
			require.Positive(t, most, "%s, %d keys: it was looked at", name, keys)
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

func TestAStopHandsOnNoGroupOfGroupByAndTakeBehindItSettlesAll(t *testing.T) {
	var p *rxcql.Pipeline
	out := &gather[operators.Group[int, int]]{}
	p, err := rxcql.New(operators.GroupBy(operators.Tap(count(1000, 10), func(n int) error {
		if n == 500 {
			p.Stop()
		}
		return nil
	}), itself[int], zero, add, operators.GroupByGroups(1000)), out)
	require.NoError(t, err)
	rep, err := p.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, rxcql.EndedByStop, rep.EndedBy)
	require.Empty(t, out.rows())
	require.Zero(t, rep.PagesSettled)
	require.Zero(t, rep.BytesInFlight)

	rep, err = run(t, operators.Take(operators.GroupBy(count(5000, 100), itself[int], zero, add, operators.GroupByGroups(5000)), 700))
	require.NoError(t, err)
	require.Equal(t, "Take", rep.EndedBy)
	require.EqualValues(t, 700, rep.Written)
	require.Equal(t, rep.Pages, rep.PagesSettled)
	require.Zero(t, rep.BytesInFlight)

	rep, err = run(t, operators.GroupBy(operators.Take(count(5000, 100), 700), itself[int], zero, add, operators.GroupByGroups(5000)))
	require.NoError(t, err)
	require.EqualValues(t, 700, rep.Written, "what Take lets through is all there is")
	require.Equal(t, rep.Pages, rep.PagesSettled)
}

func TestAFailureBehindGroupByLeavesAllPagesUnsettled(t *testing.T) {
	boom := errors.New("boom")
	pages := 0
	out := &gather[operators.Group[int, int]]{took: func([]operators.Group[int, int]) error {
		if pages++; pages == 3 {
			return boom
		}
		return nil
	}}
	rep, err := rxcql.Run(t.Context(), operators.GroupBy(count(5000, 100), itself[int], zero, add, operators.GroupByGroups(5000)), out)
	require.ErrorIs(t, err, boom)
	require.Equal(t, rep.EmptyPages, rep.PagesSettled)
	require.Zero(t, rep.BytesInFlight)
}

func TestPagesOfGroupBySettleWithTheLastOfItsGroups(t *testing.T) {
	for seed := range uint64(20) {
		late := newLateSink(seed, -1) // whose rows become durable later than Write, in any order
		groups := operators.GroupBy(count(5000, 100), func(n int) int { return n % 2000 }, zero, add, operators.GroupByGroups(2000))
		rep, err := rxcql.Run(t.Context(), operators.Map(groups, func(g operators.Group[int, int]) (int, error) { return g.Key, nil }), late)
		require.NoError(t, err)
		require.True(t, rep.Complete)
		require.EqualValues(t, 2000, rep.Written)
	}
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
