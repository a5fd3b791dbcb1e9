package operators_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

func TestMergeHandsOnAllRowsOfAllInputsEachInOrder(t *testing.T) {
	tagged := func(tag int) rxcql.Stream[int] {
		return operators.Map(count(1000, 9), func(n int) (int, error) { return tag*1000 + n, nil })
	}
	pages, rep := pagesOut(t, operators.Merge(tagged(0), tagged(1), tagged(2)))
	next := []int{0, 0, 0}
	for _, p := range pages {
		for _, n := range p.Rows {
			require.Equal(t, next[n/1000], n%1000)
			next[n/1000]++
		}
	}
	require.Equal(t, []int{1000, 1000, 1000}, next)
	require.True(t, rep.Complete)
	require.EqualValues(t, 3000, stagesOf(rep)["Merge"].In)
}

func TestMergeReadsItsInputsAtOnce(t *testing.T) {
	a, b := make(chan int), make(chan int)
	// Each input gives a row only when one of the other has arrived.
	s := operators.Merge(source.Chan(a), source.Chan(b))
	go func() { a <- 0 }()
	n := 0
	for _, err := range s.All(context.Background()) {
		require.NoError(t, err)
		n++
		next := []chan int{a, b}[n%2]
		if n == 20 {
			break
		}
		go func() { next <- n }()
	}
	require.Equal(t, 20, n)
}

func TestAFailingInputOfAMergeEndsTheOthers(t *testing.T) {
	boom := errors.New("boom")
	never := make(chan int)
	failing := operators.Tap(count(10, 1), func(n int) error {
		if n == 5 {
			return boom
		}
		return nil
	})
	_, err := operators.Merge(source.Chan(never), failing, source.Chan(never)).Collect(context.Background())
	require.ErrorIs(t, err, boom)
	var stage *rxcql.StageError
	require.ErrorAs(t, err, &stage)
	require.Equal(t, "Tap", stage.Stage)
}

func TestMergeIsStoppedIfAnInputWas(t *testing.T) {
	var p *rxcql.Pipeline
	never := make(chan int)
	stopping := operators.Tap(count(10, 1), func(n int) error {
		if n == 5 {
			p.Stop()
		}
		return nil
	})
	sink := &gather[int]{}
	p, err := rxcql.New(operators.Reduce(operators.Merge(source.Chan(never), stopping), zero, add), sink)
	require.NoError(t, err)
	rep, err := p.Run(context.Background())
	require.NoError(t, err)
	require.Equal(t, "Stop", rep.EndedBy)
	require.Empty(t, sink.rows(), "a fold over a part")
}

func TestTakeAfterMergeEndsInputsThatWait(t *testing.T) {
	never := make(chan int)
	_, rep := pagesOut(t, operators.Take(operators.Merge(source.Chan(never), count(10_000, 3), count(10_000, 5)), 100))
	require.EqualValues(t, 100, rep.Written)
	require.Equal(t, "Take", rep.EndedBy)
	require.Equal(t, rep.Pages, rep.PagesSettled)
	require.Equal(t, rep.ReadRows, rep.Written+rep.Filtered)
}

func TestTheLoopBodyRunsInTheCallingGoroutine(t *testing.T) {
	// A deferred call in the body of a range over a function works in its own
	// goroutine only.
	s := operators.Merge(operators.Batch(count(10, 1), operators.BatchRows(2), operators.BatchLinger(1e9)), operators.Batch(count(10, 1), operators.BatchRows(2)))
	ran := 0
	func() {
		for _, err := range s.All(context.Background()) {
			defer func() { ran++ }()
			require.NoError(t, err)
		}
	}()
	require.Equal(t, 10, ran)
}

func TestMergeOfNothingIsRefused(t *testing.T) {
	_, err := operators.Merge[int]().Collect(context.Background())
	require.ErrorIs(t, err, rxcql.ErrConfig)
}
