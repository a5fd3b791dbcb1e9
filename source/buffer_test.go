package source_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest"
	"github.com/rxcql/rxcql/source"
)

// hotSources are the sources to which rows are pushed. What is sent is taken from ch, in the order
// in which it was sent.
var hotSources = map[string]func(ch chan int, n int, policy rxcql.Overflow) rxcql.Stream[int]{
	"Chan": func(ch chan int, n int, policy rxcql.Overflow) rxcql.Stream[int] {
		return source.Chan(ch, source.Buffer(n, policy))
	},
	"FromObservable": func(ch chan int, n int, policy rxcql.Overflow) rxcql.Stream[int] {
		return source.FromObservable[int](rxgo.Defer([]rxgo.Producer{func(_ context.Context, items chan<- rxgo.Item) {
			for n := range ch {
				if n < 0 {
					items <- rxgo.Error(errPages)
					continue
				}
				items <- rxgo.Of(n)
			}
		}}), source.Buffer(n, policy))
	},
}

// eachHot runs a test for each hot source, in a bubble.
func eachHot(t *testing.T, name string, fn func(t *testing.T, of func(ch chan int, n int, policy rxcql.Overflow) rxcql.Stream[int])) {
	t.Helper()
	for kind, of := range hotSources {
		t.Run(kind+", "+name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { fn(t, of) }) })
	}
}

func TestAHotSourceThatIsFullDoesWhatItsPolicySays(t *testing.T) {
	for policy, want := range map[rxcql.Overflow][]int{
		rxcql.OverflowDropOldest: {0, 7, 8, 9},
		rxcql.OverflowDropNewest: {0, 1, 2, 3},
		rxcql.OverflowLatest:     {0, 9},
	} {
		eachHot(t, policy.String(), func(t *testing.T, of func(chan int, int, rxcql.Overflow) rxcql.Stream[int]) {
			ch := make(chan int)
			var mu sync.Mutex
			told := 0
			hooks := rxcql.WithHooks(rxcql.Hooks{RowsDropped: func(_ context.Context, e rxcql.DroppedEvent) {
				mu.Lock()
				defer mu.Unlock()
				require.Equal(t, policy, e.Policy)
				told += e.Rows
			}})
			probe := rxcqltest.Observe(t, of(ch, 3, policy), hooks)
			for n := range 10 {
				ch <- n // nobody waits for rows, and the sender is not held up
				synctest.Wait()
			}
			close(ch)
			probe.ExpectRows(want...)
			rep := probe.ExpectComplete()
			dropped := int64(10 - len(want))
			require.EqualValues(t, []int64{10, dropped, dropped, int64(len(want))}, []int64{rep.ReadRows, rep.Filtered, rep.Overflowed, rep.Written})
			require.EqualValues(t, dropped, rep.Stages[0].Dropped)
			require.EqualValues(t, dropped, told)
			require.Equal(t, rep.Pages, rep.PagesSettled)
			require.Zero(t, rep.BytesInFlight)
		})
	}
}

func TestAHotSourceThatBlocksHoldsItsSenderUpWhenItIsFull(t *testing.T) {
	eachHot(t, "", func(t *testing.T, of func(chan int, int, rxcql.Overflow) rxcql.Stream[int]) {
		ch := make(chan int)
		probe := rxcqltest.Observe(t, of(ch, 3, rxcql.OverflowBlock))
		sent := 0
		var sender sync.WaitGroup
		sender.Go(func() {
			defer close(ch)
			for n := range 100 {
				ch <- n
				sent++
			}
		})
		synctest.Wait()
		require.Less(t, sent, 12, "three, what is on its way, and a little")
		rows := probe.Take(100)
		for n, row := range rows {
			require.Equal(t, n, row)
		}
		sender.Wait()
		rep := probe.ExpectComplete()
		require.Zero(t, rep.Overflowed)
	})
}

func TestAHotSourceThatFailsEndsTheRunAtOnce(t *testing.T) {
	eachHot(t, "", func(t *testing.T, of func(chan int, int, rxcql.Overflow) rxcql.Stream[int]) {
		ch := make(chan int, 10)
		probe := rxcqltest.Observe(t, of(ch, 3, rxcql.OverflowFail))
		for n := range 5 {
			ch <- n
			synctest.Wait()
		}
		probe.ExpectRows(0) // was on its way
		rep := probe.ExpectError(rxcql.ErrOverflow)
		require.Zero(t, rep.BytesInFlight)
		require.ErrorContains(t, probe.Err(), "3 rows of 24 bytes wait; give source.Buffer more")
		close(ch)
	})
}

func TestWhatWaitsInAHotSourceGoesOnAfterStopAndBeforeAnError(t *testing.T) {
	eachHot(t, "Stop", func(t *testing.T, of func(chan int, int, rxcql.Overflow) rxcql.Stream[int]) {
		ch := make(chan int)
		probe := rxcqltest.Observe(t, of(ch, 10, rxcql.OverflowDropOldest))
		for n := range 5 {
			ch <- n
			synctest.Wait()
		}
		probe.Stop()
		probe.ExpectRows(0, 1, 2, 3, 4)
		rep := probe.ExpectEndedBy(rxcql.EndedByStop)
		require.Equal(t, rep.Pages, rep.PagesSettled)
		close(ch)
	})
	eachHot(t, "cancel", func(t *testing.T, of func(chan int, int, rxcql.Overflow) rxcql.Stream[int]) {
		ch := make(chan int)
		probe := rxcqltest.Observe(t, of(ch, 10, rxcql.OverflowDropOldest))
		for n := range 5 {
			ch <- n
			synctest.Wait()
		}
		probe.Cancel()
		rep := probe.ExpectError(context.Canceled)
		require.Zero(t, rep.BytesInFlight)
		close(ch)
	})
	eachHot(t, "Take", func(t *testing.T, of func(chan int, int, rxcql.Overflow) rxcql.Stream[int]) {
		ch := make(chan int, 100)
		for n := range 100 {
			ch <- n
		}
		close(ch)
		rep, err := operators.Take(of(ch, 1000, rxcql.OverflowDropOldest), 7).ForEach(t.Context(), func(int) error { return nil })
		require.NoError(t, err)
		require.Equal(t, "Take", rep.EndedBy)
		require.Equal(t, rep.Pages, rep.PagesSettled)
		require.Zero(t, rep.BytesInFlight)
	})
	synctest.Test(t, func(t *testing.T) {
		ch := make(chan int, 10)
		probe := rxcqltest.Observe(t, hotSources["FromObservable"](ch, 10, rxcql.OverflowDropOldest))
		for _, n := range []int{0, 1, 2, -1} {
			ch <- n
			synctest.Wait()
		}
		probe.ExpectRows(0, 1, 2)
		probe.ExpectError(errPages)
		close(ch)
	})
}

func TestTheRowsThatWaitInAHotSourceAreChargedToTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := make(chan [1000]byte)
		probe := rxcqltest.Observe(t, source.Chan(ch, source.PageRows(1), source.Buffer(1<<30, rxcql.OverflowDropNewest)), rxcql.WithBudget(400_000))
		for n := range 1000 {
			ch <- [1000]byte{}
			if n == 0 {
				synctest.Wait() // it is on its way
			}
		}
		synctest.Wait()
		inFlight := probe.Report().BytesInFlight
		require.GreaterOrEqual(t, inFlight, int64(100_000), "a quarter of the budget")
		require.LessOrEqual(t, inFlight, int64(110_000))
		close(ch)
		time.Sleep(time.Second)
		probe.Take(101)
		rep := probe.ExpectComplete()
		require.EqualValues(t, 1000, rep.ReadRows)
		require.EqualValues(t, 899, rep.Overflowed)
	})
}

func TestAHotSourceGathersWhatWaitsIntoAPage(t *testing.T) {
	eachHot(t, "", func(t *testing.T, of func(chan int, int, rxcql.Overflow) rxcql.Stream[int]) {
		ch := make(chan int)
		probe := rxcqltest.Observe(t, of(ch, 10, rxcql.OverflowDropOldest))
		for n := range 5 {
			ch <- n
			synctest.Wait()
		}
		close(ch)
		require.EqualValues(t, 0, probe.ExpectPage(0).Page)
		require.EqualValues(t, 1, probe.ExpectPage(1, 2, 3, 4).Page)
		require.True(t, probe.ExpectPage().Last)
		probe.ExpectComplete()
	})
}

func TestABufferOfASourceSaysWhatIsWrongWithIt(t *testing.T) {
	for text, opt := range map[string]interface {
		source.ChanOption
		source.ObservableOption
	}{
		"Buffer(0, Latest): must be at least 1 row":    source.Buffer(0, rxcql.OverflowLatest),
		"Buffer: Overflow(7): there is no such policy": source.Buffer(1, rxcql.Overflow(7)),
	} {
		_, err := source.Chan(make(chan int), opt).Count(t.Context())
		require.ErrorIs(t, err, rxcql.ErrConfig)
		require.ErrorContains(t, err, text)
		_, err = source.FromObservable[int](rxgo.Empty(), opt).Count(t.Context())
		require.ErrorContains(t, err, text)
	}
	_, err := source.FromObservable[int](nil, nil).Count(t.Context())
	require.ErrorContains(t, err, "an option is nil\nthe Observable is nil")
}
