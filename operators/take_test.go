package operators_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

func TestTakeEndsWithTheRowsWantedAndReadsNoMore(t *testing.T) {
	for _, n := range []int{1, 2, 3, 511, 512, 513, 600} {
		taken := 0
		in := source.Seq(numbers(1000, &taken))
		s := operators.Take(operators.Tap(operators.Map(in, double), func(int) error { return nil }), int64(n))
		sink := &gather[int]{}
		p, err := rxcql.New(s, sink)
		require.NoError(t, err)
		rep, err := p.Run(context.Background())
		require.NoError(t, err)
		require.Len(t, sink.rows(), n)
		require.Equal(t, n, taken)
		require.False(t, rep.Complete)
		require.Equal(t, "Take", rep.EndedBy)
		require.Equal(t, rep.Pages, rep.PagesSettled)
		require.Equal(t, rep.ReadRows, rep.Written+rep.Filtered)
		require.Zero(t, rep.BytesInFlight)
	}
}

func TestTakeOfMoreThanThereIsIsComplete(t *testing.T) {
	_, rep := pagesOut(t, operators.Take(count(10, 3), 11))
	require.True(t, rep.Complete)
	require.EqualValues(t, 10, rep.Written)
}

func TestTakeNothingReadsNothing(t *testing.T) {
	taken := 0
	pages, rep := pagesOut(t, operators.Take(source.Seq(numbers(10, &taken)), 0))
	require.Empty(t, pages)
	require.Zero(t, taken)
	require.Equal(t, "Take", rep.EndedBy)
}

func TestTakeDoesNotWaitForAnotherRow(t *testing.T) {
	ch := make(chan int, 10) // never closed
	for i := range 10 {
		ch <- i
	}
	require.Equal(t, []int{0, 1, 2}, collect(t, operators.Take(source.Chan(ch), 3)))
	require.Len(t, ch, 7, "rows left in the channel are not eaten")
}

func TestTheSmallestLimitReachesTheSource(t *testing.T) {
	taken := 0
	in := func() rxcql.Stream[int] { taken = 0; return source.Seq(numbers(1000, &taken)) }
	require.Len(t, collect(t, operators.Take(operators.Take(in(), 5), 9)), 5)
	require.Equal(t, 5, taken)
	require.Len(t, collect(t, operators.Take(operators.Take(in(), 9), 5)), 5)
	require.Equal(t, 5, taken)
	require.Equal(t, []int{3, 4}, collect(t, operators.Take(operators.Skip(in(), 3), 2)))
	require.Equal(t, 5, taken)
	require.Len(t, collect(t, operators.Take(operators.TakeWhile(in(), func(int) bool { return true }), 2)), 2)
	require.Equal(t, 2, taken)
	require.Len(t, collect(t, operators.Take(operators.Batch(in(), operators.BatchRows(7)), 2)), 2)
	require.Equal(t, 14, taken)
	require.Len(t, collect(t, operators.Take(operators.MapConcurrent(in(), 50, ctxDouble), 20)), 20)
	require.Equal(t, 20, taken)
	require.Len(t, collect(t, operators.Take(operators.MapConcurrent(in(), 50, ctxDouble, operators.Unordered()), 20)), 20)
	require.Equal(t, 20, taken)
	require.Len(t, collect(t, operators.Take(operators.Merge(in()), 20)), 20)
	require.Equal(t, 20, taken)
}

func ctxDouble(_ context.Context, n int) (int, error) { return 2 * n, nil }

func TestTakeInOneInputOfAMergeEndsThatInputAlone(t *testing.T) {
	got := collect(t, operators.Merge(operators.Take(count(100, 10), 5), count(20, 10)))
	require.Len(t, got, 25)
}

func TestTakeWhileEndsBeforeTheFirstRowThatIsNot(t *testing.T) {
	for _, page := range []int{1, 3, 5, 100} {
		taken := 0
		in := source.Seq(numbers(1000, &taken), source.PageRows(page))
		pages, rep := pagesOut(t, operators.TakeWhile(in, func(n int) bool { return n < 5 }))
		var got []int
		for _, p := range pages {
			got = append(got, p.Rows...)
		}
		require.Equal(t, upTo(5), got)
		require.Equal(t, "TakeWhile", rep.EndedBy)
		require.Equal(t, rep.Pages, rep.PagesSettled)
		require.Equal(t, rep.ReadRows, rep.Written+rep.Filtered)
	}
}

func TestLeavingALoopStopsEveryOperator(t *testing.T) {
	taken := 0
	in := source.Seq(numbers(1_000_000, &taken), source.PageRows(10))
	s := operators.Merge(
		operators.MapConcurrent(operators.Batch(operators.MapConcurrent(in, 10, ctxDouble), operators.BatchRows(3), operators.BatchLinger(1e9)), 4,
			func(_ context.Context, rows []int) (int, error) { return len(rows), nil }, operators.Unordered()),
		operators.Scan(count(1_000_000, 10), zero, add))
	n := 0
	for _, err := range s.All(context.Background()) {
		require.NoError(t, err)
		if n++; n == 50 {
			break
		}
	}
	require.Less(t, taken, 100_000)
}
