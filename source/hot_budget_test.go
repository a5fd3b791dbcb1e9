package source_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// filled is a closed channel of so many rows of 1,000 bytes.
func filled(rows int) chan [1000]byte {
	ch := make(chan [1000]byte, rows)
	for range rows {
		ch <- [1000]byte{}
	}
	close(ch)
	return ch
}

func TestRowsInTheBufferOfASourceDoNotHideThatOperatorsHoldTheBudget(t *testing.T) {
	for _, policy := range []rxcql.Overflow{rxcql.OverflowBlock, rxcql.OverflowDropOldest, rxcql.OverflowDropNewest, rxcql.OverflowLatest} {
		synctest.Test(t, func(t *testing.T) {
			rows := source.Chan(filled(10_000), source.PageRows(10), source.Buffer(1000, policy))
			if policy != rxcql.OverflowBlock { // the sender waits for the reader, or no row would be left
				ch := make(chan [1000]byte)
				rows = source.Chan(ch, source.PageRows(10), source.Buffer(1000, policy))
				over := make(chan struct{})
				var sender sync.WaitGroup
				defer func() {
					close(over)
					sender.Wait()
				}()
				sender.Go(func() {
					for {
						select {
						case ch <- [1000]byte{}:
							time.Sleep(time.Millisecond)
						case <-over:
							return
						}
					}
				})
			}
			rep, err := operators.Batch(rows, operators.BatchRows(1<<20)).ForEach(t.Context(), func([][1000]byte) error { return nil },
				rxcql.WithBudget(rxcql.MinBudgetPerInput))
			require.ErrorIs(t, err, rxcql.ErrBudgetHeld, policy)
			require.Zero(t, rep.BytesInFlight, policy)
		})
	}
}

func TestTheBuffersOfSeveralSourcesLeaveRoomForTheirPages(t *testing.T) {
	for _, sources := range []int{2, 3, 4, 9} {
		synctest.Test(t, func(t *testing.T) {
			var all []rxcql.Stream[[1000]byte]
			for range sources {
				all = append(all, source.Chan(filled(300), source.Buffer(1000, rxcql.OverflowBlock)))
			}
			slow := sink.Each(func(context.Context, [1000]byte) error { time.Sleep(time.Millisecond); return nil })
			rep, err := rxcql.Run(t.Context(), operators.Merge(all...), slow, rxcql.WithBudget(int64(sources)*rxcql.MinBudgetPerInput))
			require.NoError(t, err, sources)
			require.EqualValues(t, 300*sources, rep.Written)
			require.Zero(t, rep.BytesInFlight)
		})
	}
}

func TestARowThatIsLargerThanTheBudgetGoesThroughTheBufferOfASource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := make(chan []byte, 3)
		for range 3 {
			ch <- make([]byte, 4*rxcql.MinBudgetPerInput)
		}
		close(ch)
		rows, err := source.Chan(ch, source.Buffer(10, rxcql.OverflowBlock)).Collect(t.Context(), rxcql.WithBudget(rxcql.MinBudgetPerInput))
		require.NoError(t, err)
		require.Len(t, rows, 3)
	})
}

func TestABufferOfASourceHandsOverNoMoreThanAPage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := make(chan int, 100)
		for n := range 100 {
			ch <- n
		}
		probe := rxcqltest.Observe(t, source.Chan(ch, source.PageRows(1), source.Buffer(100, rxcql.OverflowDropOldest)))
		synctest.Wait()
		require.GreaterOrEqual(t, probe.Report().BytesInFlight, int64(100*8), "the rows that wait are charged")
		for n := range 100 {
			ch <- 100 + n
		}
		synctest.Wait()
		probe.ExpectRows(0) // was on its way; those behind it give way
		for n := range 100 {
			probe.ExpectRows(100 + n)
		}
		close(ch)
		rep := probe.ExpectComplete()
		require.EqualValues(t, 99, rep.Overflowed)
	})
}
