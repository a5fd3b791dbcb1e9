package operators_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

func TestTheErrorOfALookUpInsideRxArrivesHoweverSlowDownstreamIs(t *testing.T) {
	boom := errors.New("boom")
	lookUp := source.Seq(func(yield func(int, error) bool) { _ = yield(1, nil) && yield(2, nil) && yield(0, boom) }, source.PageRows(1))
	for name, ahead := range map[string]int{"no rows ahead": 0, "some": 3} {
		synctest.Test(t, func(t *testing.T) {
			s := viaRx[int](count(2, 1), func(o rxgo.Observable) rxgo.Observable {
				return o.FlatMap(func(rxgo.Item) rxgo.Observable { return lookUp.Observable(context.Background()) },
					rxgo.WithBufferedChannel(ahead))
			})
			_, err := s.ForEach(context.Background(), func(int) error { time.Sleep(24 * time.Hour); return nil })
			require.ErrorIs(t, err, boom, name)
		})
	}
}

func TestAReaderBeforeRxThatLeavesIsAnError(t *testing.T) {
	in := operators.Tap(count(10, 1), func(n int) error {
		if n == 3 {
			runtime.Goexit()
		}
		return nil
	})
	_, err := viaRx[int](in, func(o rxgo.Observable) rxgo.Observable { return o.Map(doubleRx) }).Count(context.Background())
	require.ErrorContains(t, err, "Goexit")
}

func TestARowThatRxDoesNotTakeAnyMoreHoldsNothingUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		s := operators.Take(viaRx[int](count(1<<40, 1), func(o rxgo.Observable) rxgo.Observable {
			// It obeys no context, and goes on for two days.
			return rxgo.Defer([]rxgo.Producer{func(_ context.Context, ch chan<- rxgo.Item) {
				for i := range 2 {
					ch <- rxgo.Of(i)
					time.Sleep(24 * time.Hour)
				}
			}})
		}), 1)
		var rep rxcql.Report
		rep, err := s.ForEach(context.Background(), func(int) error { return nil })
		require.NoError(t, err)
		require.Equal(t, "Take", rep.EndedBy)
		require.Zero(t, time.Since(begin))
		time.Sleep(72 * time.Hour) // until rxgo has come to its end
	})
}
