package source_test

import (
	"context"
	"io"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// The slice of a page may be used again by the function, and is not touched by the stream.
func TestPagesReadsASliceAndLeavesItAsItIs(t *testing.T) {
	page, calls := make([]int, 10), 0
	in := source.Pages(func(context.Context) ([]int, error) {
		for i := range page {
			page[i] = 10*calls + i
		}
		if calls++; calls == 5 {
			return page, io.EOF
		}
		return page, nil
	})
	batches := operators.Batch(operators.MapConcurrent(in, 4, func(_ context.Context, n int) (int, error) { return n, nil }), operators.BatchRows(7))
	got, err := batches.Collect(t.Context())
	require.NoError(t, err)
	all := slices.Concat(got...)
	require.Len(t, all, 50)
	for i, n := range all {
		require.Equal(t, i, n)
	}
	require.Equal(t, []int{40, 41, 42, 43, 44, 45, 46, 47, 48, 49}, page)
}

func TestPagesKeepsToTheBudget(t *testing.T) {
	texts := func(size int) rxcql.Stream[string] {
		calls := 0
		return source.Pages(func(context.Context) ([]string, error) {
			if calls++; calls > 50 {
				return nil, io.EOF
			}
			return []string{strings.Repeat("x", size), strings.Repeat("y", calls)}, nil
		})
	}
	call := func(_ context.Context, text string) (string, error) { return text, nil }
	for _, size := range []int{1, 10_000, 200_000} { // the last is larger than the budget
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		rep, err := operators.MapConcurrent(operators.Merge(texts(size), texts(size), texts(size)), 8, call).
			ForEach(ctx, func(string) error { return nil }, rxcql.WithBudget(3*rxcql.MinBudgetPerInput))
		cancel()
		require.NoError(t, err, size)
		require.EqualValues(t, 300, rep.ReadRows, size)
		require.Greater(t, rep.LargestPage, int64(size), size)
		require.LessOrEqual(t, rep.PeakBytes, rep.Budget+int64(rep.PeakFetches)*rep.LargestPage, size)
		require.Zero(t, rep.BytesInFlight, size)
	}
}

func TestPagesAllocatesNothingARow(t *testing.T) {
	rows := make([]int64, 512)
	allocs := testing.AllocsPerRun(3, func() {
		calls := 0
		_, _ = source.Pages(func(context.Context) ([]int64, error) {
			if calls++; calls == 200 {
				return rows, io.EOF
			}
			return rows, nil
		}).Count(context.Background())
	})
	require.Less(t, allocs, 5000.0, "a few a page")
}

// Whatever the cuts, and whatever failures come between them, each row comes once.
func TestPagesGivesEachRowOnceWhateverThePages(outer *testing.T) {
	rapid.Check(outer, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.Int(), 0, 100).Draw(t, "rows")
		cuts := rapid.SliceOfN(rapid.IntRange(0, len(rows)), 0, 20).Draw(t, "cuts")
		slices.Sort(cuts)
		var pages [][]int
		from := 0
		for _, cut := range append(cuts, len(rows)) {
			pages = append(pages, rows[from:cut])
			from = cut
		}
		withEnd := rapid.Bool().Draw(t, "the end comes with rows")
		failures := rapid.SliceOfN(rapid.IntRange(0, 1), len(pages), len(pages)).Draw(t, "failures before a page")
		failed := slices.Clone(failures)
		at := 0
		var s shape
		var got []int
		var rep rxcql.Report
		var err error
		in := shaped(source.Pages(func(context.Context) ([]int, error) {
			switch {
			case at == len(pages):
				return nil, io.EOF
			case failed[at] > 0:
				failed[at]--
				return nil, syscall.ECONNREFUSED
			}
			page := pages[at]
			if at++; at == len(pages) && withEnd {
				return page, io.EOF
			}
			return page, nil
		}), &s)
		synctest.Test(outer, func(*testing.T) { // for the waits
			rep, err = in.ForEach(context.Background(), func(n int) error { got = append(got, n); return nil })
		})
		require.NoError(t, err)
		require.True(t, slices.Equal(rows, got))
		require.True(t, rep.Complete)
		for i, position := range s.at {
			require.Equal(t, flow.Position{Page: int64(i), Last: i == len(s.at)-1}, position)
		}
		retries := 0
		for _, n := range failures {
			retries += n
		}
		require.EqualValues(t, retries, rep.Retried)
	})
}
