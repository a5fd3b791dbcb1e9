package operators_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

func TestBatchesAreBoundedByCountAcrossPages(t *testing.T) {
	for _, page := range []int{1, 2, 3, 4, 10} {
		got := collect(t, operators.Batch(count(10, page), operators.BatchRows(4)))
		require.Equal(t, [][]int{{0, 1, 2, 3}, {4, 5, 6, 7}, {8, 9}}, got, "pages of %d", page)
	}
}

func TestBatchesAreBoundedByBytesAndALargerRowIsAlone(t *testing.T) {
	word := func(n int) string { return string(make([]byte, n)) }
	size := rxcql.SizeFunc[string]()
	of := func(n int) int64 { w := word(n); return int64(size(&w)) }
	rows := []string{word(10), word(10), word(10), word(1000), word(10), word(10)}
	in := source.Seq(func(yield func(string, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}, source.PageRows(2))
	var counts []int
	for _, b := range collect(t, operators.Batch(in, operators.BatchBytes(2*of(10)))) {
		counts = append(counts, len(b))
	}
	require.Equal(t, []int{2, 1, 1, 2}, counts)
}

func TestABatchBelongsToWhoeverReceivesIt(t *testing.T) {
	got := collect(t, operators.Batch(count(100, 7), operators.BatchRows(10)))
	for _, b := range got {
		for i := range b {
			b[i] = -1
		}
	}
	require.Len(t, got, 10)
	require.Equal(t, [][]int{{0, 1}, {2}}, collect(t, operators.Batch(count(3, 3), operators.BatchRows(2))))
}

func TestBatchOfAnEmptyStreamIsNone(t *testing.T) {
	require.Empty(t, collect(t, operators.Batch(count(0, 1), operators.BatchRows(2))))
	require.Empty(t, collect(t, operators.Batch(count(0, 1), operators.BatchLinger(time.Hour))))
}

func TestLingerEndsABatchExactlyWhenItsTimeHasPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := make(chan int)
		go func() {
			defer close(ch)
			for i := range 6 { // at 0, 3, 6, 9, 12, 15 s
				ch <- i
				time.Sleep(3 * time.Second)
			}
		}()
		start := time.Now()
		var got [][]int
		var at []time.Duration
		for b, err := range operators.Batch(source.Chan(ch), operators.BatchLinger(4*time.Second)).All(context.Background()) {
			require.NoError(t, err)
			got, at = append(got, b), append(at, time.Since(start))
		}
		require.Equal(t, [][]int{{0, 1}, {2, 3}, {4, 5}}, got)
		require.Equal(t, []time.Duration{4 * time.Second, 10 * time.Second, 16 * time.Second}, at)
	})
}

func TestABatchFilledByCountDoesNotShortenTheTimeOfTheNext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := make(chan int)
		go func() {
			defer close(ch)
			for i, pause := range []time.Duration{3, 0, 5} { // at 0, 3 (full), 3, then the end at 8
				ch <- i
				time.Sleep(pause * time.Second)
			}
		}()
		start := time.Now()
		var at []time.Duration
		for _, err := range operators.Batch(source.Chan(ch), operators.BatchRows(2), operators.BatchLinger(4*time.Second)).All(context.Background()) {
			require.NoError(t, err)
			at = append(at, time.Since(start))
		}
		require.Equal(t, []time.Duration{3 * time.Second, 7 * time.Second}, at)
	})
}

func TestTheEndOfTheStreamAfterATimedBatchStopsAWaitingSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := make(chan int, 3)
		ch <- 1
		s := operators.Take(operators.Batch(source.Chan(ch), operators.BatchLinger(time.Second)), 1)
		got, err := s.Collect(context.Background())
		require.NoError(t, err)
		require.Equal(t, [][]int{{1}}, got)
	})
}

func TestStopFlushesTheOpenBatch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, opts := range [][]operators.BatchOption{
			{operators.BatchRows(100)},
			{operators.BatchRows(100), operators.BatchLinger(time.Hour)},
		} {
			ch := make(chan int, 3)
			ch <- 1
			ch <- 2
			sink := &gather[[]int]{}
			p, err := rxcql.New(operators.Batch(source.Chan(ch), opts...), sink)
			require.NoError(t, err)
			go func() {
				time.Sleep(time.Second)
				p.Stop()
			}()
			rep, err := p.Run(context.Background())
			require.NoError(t, err)
			require.Equal(t, [][]int{{1, 2}}, sink.rows())
			require.Equal(t, "Stop", rep.EndedBy)
			require.Equal(t, rep.Pages, rep.PagesSettled)
		}
	})
}
