package sink_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

// Operators with a goroutine of their own have what follows them run in one of the sink's.
func TestARunEndsWhereAFunctionBehindASinksOperatorLeavesItsGoroutine(t *testing.T) {
	leave := func(spot) error { runtime.Goexit(); return nil }
	nothing := sink.Each(func(context.Context, spot) error { return nil })
	leaving := sink.Through(func(s rxcql.Stream[spot]) rxcql.Stream[spot] {
		return operators.Tap(operators.Buffer(s, 10, rxcql.OverflowBlock), leave)
	}, nothing)
	for name, to := range map[string]rxcql.Sink[spot]{
		"Through":  leaving,
		"in a Tee": sink.Tee(nothing, leaving),
		"at the end": sink.Through(func(s rxcql.Stream[spot]) rxcql.Stream[spot] {
			batches := operators.Batch(operators.Buffer(s, 10, rxcql.OverflowBlock), operators.BatchRows(1000))
			return operators.Map(batches, func([]spot) (spot, error) { return spot{}, leave(spot{}) })
		}, nothing),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var rep rxcql.Report
				err := errors.New("the run's own goroutine was left")
				ended := make(chan struct{})
				go func() {
					defer close(ended)
					rep, err = rxcql.Run(t.Context(), sequence(spot{}, spot{}, spot{}), to)
				}()
				<-ended
				require.ErrorContains(t, err, "Goexit")
				require.Zero(t, rep.BytesInFlight)
				require.Zero(t, rep.PagesSettled)
			})
		})
	}
}
