package operators_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

func even(n int) bool { return n%2 == 0 }

func double(n int) (int, error) { return 2 * n, nil }

func add(a, b int) (int, error) { return a + b, nil }

// zero is where sums begin.
func zero() int { return 0 }

func TestMapGivesOneRowForEachRowInOrder(t *testing.T) {
	got := collect(t, operators.Map(count(5, 2), func(n int) (string, error) { return strconv.Itoa(n), nil }))
	require.Equal(t, []string{"0", "1", "2", "3", "4"}, got)
}

func TestFilterKeepsTheRowsWantedAndCountsTheOthers(t *testing.T) {
	for _, page := range []int{1, 2, 3, 10} {
		pages, rep := pagesOut(t, operators.Filter(count(10, page), even))
		var got []int
		for i, p := range pages {
			require.True(t, len(p.Rows) > 0 || p.Last, "page %d is empty", i)
			got = append(got, p.Rows...)
		}
		require.Equal(t, []int{0, 2, 4, 6, 8}, got)
		require.EqualValues(t, 5, rep.Filtered)
		require.True(t, pages[len(pages)-1].Last)
	}
}

func TestFilterThatKeepsAllOrNothingStillEndsTheRange(t *testing.T) {
	pages, _ := pagesOut(t, operators.Filter(count(10, 3), func(int) bool { return false }))
	require.Len(t, pages, 1)
	require.Empty(t, pages[0].Rows)
	require.True(t, pages[0].Last)
	require.Equal(t, upTo(10), collect(t, operators.Filter(count(10, 3), func(int) bool { return true })))
}

func TestFlatMapGivesAnyNumberOfRowsForEachRow(t *testing.T) {
	got := collect(t, operators.FlatMap(count(5, 2), func(n int, emit func(int) bool) error {
		for range n {
			emit(n)
		}
		return nil
	}))
	require.Equal(t, []int{1, 2, 2, 3, 3, 3, 4, 4, 4, 4}, got)
}

func TestFilterAsksOncePerRow(t *testing.T) {
	asked := map[int]int{}
	collect(t, operators.Filter(count(20, 7), func(n int) bool { asked[n]++; return n%3 != 0 }))
	require.Len(t, asked, 20)
	for n, times := range asked {
		require.Equal(t, 1, times, n)
	}
}

func TestFlatMapCutsWhatARowExplodesIntoIntoPages(t *testing.T) {
	pages, rep := pagesOut(t, operators.FlatMap(ranges(part[int]{0, []int{1}, true}), func(_ int, emit func(int) bool) error {
		for i := range 5000 {
			emit(i)
		}
		return nil
	}))
	require.EqualValues(t, 5000, rep.Written)
	require.Len(t, pages, 10)
	for i, p := range pages {
		require.LessOrEqual(t, len(p.Rows), 512)
		require.Equal(t, i == len(pages)-1, p.Last, "page %d of %d", i, len(pages))
	}
}

func TestFlatMapCutsPagesByBytesToo(t *testing.T) {
	big := strings.Repeat("x", 300<<10)
	pages, _ := pagesOut(t, operators.FlatMap(count(1, 1), func(_ int, emit func(string) bool) error {
		for range 40 {
			emit(big)
		}
		return nil
	}))
	for _, p := range pages {
		require.LessOrEqual(t, len(p.Rows), 4)
	}
}

func TestFlatMapIsToldWhenNoMoreRowsAreWanted(t *testing.T) {
	emitted := 0
	endless := operators.FlatMap(count(1, 1), func(_ int, emit func(int) bool) error {
		for i := 0; emit(i); i++ {
			emitted++
		}
		require.False(t, emit(-1))
		return nil
	})
	require.Equal(t, []int{0, 1, 2}, collect(t, operators.Take(endless, 3)))
	require.Less(t, emitted, 1000)
}

func TestScanHandsOnTheStateAfterEveryRowAndBeginsAfreshEachRun(t *testing.T) {
	totals := operators.Scan(count(5, 2), func() int { return 100 }, add)
	for range 2 {
		require.Equal(t, []int{100, 101, 103, 106, 110}, collect(t, totals))
	}
}

func TestReduceHandsOnOneRowAtTheEnd(t *testing.T) {
	sum := operators.Reduce(count(100, 7), zero, add)
	for range 2 {
		pages, rep := pagesOut(t, sum)
		require.Len(t, pages, 2)
		require.Equal(t, []int{4950}, pages[0].Rows)
		require.Empty(t, pages[1].Rows)
		require.True(t, pages[1].Last, "the part that was read has ended")
		require.True(t, rep.Complete)
		require.EqualValues(t, 0, rep.BytesInFlight)
	}
}

func TestReduceOfAnEmptyStreamIsTheSeed(t *testing.T) {
	require.Equal(t, []int{42}, collect(t, operators.Reduce(count(0, 1), func() int { return 42 }, add)))
}

func TestReduceLeavesPagesUnsettledUntilItsRowIsDurable(t *testing.T) {
	var settledBefore int64 = -1
	var p *rxcql.Pipeline
	sink := &gather[int]{took: func(rows []int) error {
		if len(rows) > 0 {
			settledBefore = p.Progress().PagesSettled
		}
		return nil
	}}
	p, err := rxcql.New(operators.Reduce(count(10, 2), zero, add), sink)
	require.NoError(t, err)
	rep, err := p.Run(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, settledBefore, "the empty page alone")
	require.Equal(t, rep.Pages, rep.PagesSettled)
}

func TestTapSeesEveryRowAndPassesItOn(t *testing.T) {
	sum := 0
	got := collect(t, operators.Tap(count(10, 3), func(n int) error { sum += n; return nil }))
	require.Equal(t, upTo(10), got)
	require.Equal(t, 45, sum)
}

func TestSkipDropsTheFirstRows(t *testing.T) {
	for _, n := range []int{0, 1, 3, 4, 9, 10, 11} {
		pages, rep := pagesOut(t, operators.Skip(count(10, 3), int64(n)))
		var got []int
		for _, p := range pages {
			got = append(got, p.Rows...)
		}
		require.Equal(t, upTo(10)[min(n, 10):], append([]int{}, got...))
		require.EqualValues(t, min(n, 10), rep.Filtered)
		require.True(t, rep.Complete)
	}
}

func TestSynchronousVerbsPassOnAnEmptyStream(t *testing.T) {
	none := count(0, 1)
	for name, s := range map[string]rxcql.Stream[int]{
		"Map": operators.Map(none, double), "Filter": operators.Filter(none, even),
		"FlatMap": operators.FlatMap(none, func(int, func(int) bool) error { return nil }),
		"Scan":    operators.Scan(none, zero, add), "Take": operators.Take(none, 3),
		"TakeWhile": operators.TakeWhile(none, even), "Skip": operators.Skip(none, 3),
		"Tap":           operators.Tap(none, func(int) error { return nil }),
		"MapConcurrent": operators.MapConcurrent(none, 3, ctxDouble),
	} {
		pages, rep := pagesOut(t, s)
		require.Len(t, pages, 1, name)
		require.True(t, pages[0].Last, name)
		require.Empty(t, pages[0].Rows, name)
		require.True(t, rep.Complete, name)
		require.EqualValues(t, 1, rep.PagesSettled, name)
	}
}

func TestNothingRunsUntilAStreamIsRead(t *testing.T) {
	taken := 0
	s := operators.Map(source.Seq(numbers(10, &taken)), double)
	merged := operators.Merge(operators.Batch(s, operators.BatchRows(2)), operators.Batch(count(9, 2), operators.BatchRows(3)))
	require.Zero(t, taken)
	require.Len(t, collect(t, merged), 8)
	require.Equal(t, 10, taken)
}
