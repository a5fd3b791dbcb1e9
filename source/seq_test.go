package source_test

import (
	"context"
	"errors"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/source"
)

// shape notes the pages that pass: their rows and positions.
type shape struct {
	rows []int
	at   []flow.Position
}

// shaped notes the pages of in.
func shaped[T any](in rxcql.Stream[T], s *shape) rxcql.Stream[T] {
	return rxcql.Lift(in, rxcql.StageInfo{Name: "Shape"}, func(_ *rxcql.Stage, out flow.Observer[T]) flow.Observer[T] {
		return &noting[T]{Observer: out, shape: s}
	})
}

type noting[T any] struct {
	flow.Observer[T]
	*shape
}

func (n *noting[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	n.rows = append(n.rows, len(p.Rows))
	n.at = append(n.at, flow.Position{Range: p.Range, Page: p.Page, Last: p.Last})
	return n.Observer.Next(ctx, p)
}

func each[T any](rows []T) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}
}

func TestSeqCutsRowsIntoPages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.Int(), 0, 300).Draw(t, "rows")
		most := rapid.IntRange(1, 100).Draw(t, "page")
		var s shape
		got, err := shaped(source.Seq(each(rows), source.PageRows(most)), &s).Collect(context.Background())
		require.NoError(t, err)
		require.True(t, slices.Equal(rows, got))
		for i, at := range s.at {
			last := i == len(s.at)-1
			require.Equal(t, flow.Position{Page: int64(i), Last: last}, at, "the last page says so, and no other")
			if !last {
				require.Equal(t, most, s.rows[i])
			}
		}
		require.Len(t, s.at, len(rows)/most+1)
	})
}

func TestSeqCutsPagesByBytesToo(t *testing.T) {
	rows := make([]string, 100)
	for i := range rows {
		rows[i] = strings.Repeat("x", 10_000)
	}
	var s shape
	n, err := shaped(source.Seq(each(rows)), &s).Count(context.Background(), rxcql.WithBudget(rxcql.MinBudgetPerInput))
	require.NoError(t, err)
	require.EqualValues(t, 100, n)
	require.Equal(t, 2, slices.Max(s.rows), "a page is filled by 16 KiB where the budget is 64 KiB")
}

func TestSeqLetsARowPassThatIsLargerThanTheBudget(t *testing.T) {
	rows := []string{"a", strings.Repeat("x", 5<<20), "b", strings.Repeat("y", 1<<20)}
	rep, err := source.Seq(each(rows)).ForEach(context.Background(), func(string) error { return nil }, rxcql.WithBudget(rxcql.MinBudgetPerInput))
	require.NoError(t, err)
	require.EqualValues(t, 4, rep.ReadRows)
	require.Greater(t, rep.LargestPage, int64(5<<20))
	require.LessOrEqual(t, rep.PeakBytes, rep.Budget+int64(rep.PeakFetches)*rep.LargestPage)
}

func TestSeqLeavesTheIteratorWhenTheStreamEnds(t *testing.T) {
	left := false
	rows := func(yield func(int, error) bool) {
		defer func() { left = true }()
		for i := 0; yield(i, nil); i++ {
		}
	}
	for row := range source.Seq(rows, source.PageRows(3)).All(context.Background()) {
		if row == 7 {
			break
		}
	}
	require.True(t, left)
}

func TestSeqEndsWithTheFirstError(t *testing.T) {
	broken := errors.New("broken on purpose")
	asked := 0
	rows := func(yield func(int, error) bool) {
		for i := range 10 {
			asked++
			var err error
			if i == 4 {
				err = broken
			}
			if !yield(i, err) {
				return
			}
		}
	}
	rep, err := source.Seq(rows).ForEach(context.Background(), func(int) error { return nil })
	require.ErrorIs(t, err, broken)
	require.Equal(t, 5, asked)
	require.EqualValues(t, 4, rep.ReadRows)
	require.Zero(t, rep.RangesDone)
	require.False(t, rep.Complete)
}

func TestSeqAllocatesNothingARow(t *testing.T) {
	rows := make([]int64, 100_000)
	in := source.Seq(each(rows))
	allocs := testing.AllocsPerRun(3, func() { _, _ = in.Count(context.Background()) })
	require.Less(t, allocs, 5000.0, "a few a page of 512 rows")
}

func TestPageRowsHasLimits(t *testing.T) {
	ch := make(chan int)
	close(ch)
	for _, n := range []int{-1, 0, 1<<20 + 1} {
		_, err := source.Seq(each([]int{1}), source.PageRows(n)).Count(context.Background())
		require.ErrorIs(t, err, rxcql.ErrConfig)
		_, err = source.Chan(ch, source.PageRows(n)).Count(context.Background())
		require.ErrorIs(t, err, rxcql.ErrConfig)
	}
	n, err := source.Seq(each([]int{1}), source.PageRows(1<<20)).Count(context.Background(), rxcql.WithBudget(rxcql.MinBudgetPerInput))
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
}
