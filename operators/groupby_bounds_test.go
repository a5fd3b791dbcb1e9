package operators_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
)

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
