package sink_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

// Repeats end with the run's context, which the contexts in a sink outlive.
func TestARowWhoseRepeatsEndWithTheRunIsNotOneThatFailed(t *testing.T) {
	why := errors.New("cancelled on purpose")
	busy := func(ctx context.Context, _ spot) error {
		return rxcql.Retry(ctx, rxcql.MayPass, func() error { return errPassing })
	}
	for name, to := range map[string]rxcql.Sink[spot]{
		"Through": sink.Through(func(s rxcql.Stream[spot]) rxcql.Stream[spot] {
			return operators.MapConcurrent(s, 1, func(ctx context.Context, at spot) (spot, error) { return at, busy(ctx, at) })
		}, sink.Each(func(context.Context, spot) error { return nil })),
		"Each": sink.Each(busy),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				time.AfterFunc(time.Second, func() { cancel(why) })
				rep, err := rxcql.Run(ctx, sequence(spot{}), to, rxcql.WithRowErrors(rxcql.SkipRows(10)))
				require.ErrorIs(t, err, why)
				require.Zero(t, rep.Skipped)
				require.Zero(t, rep.PagesSettled)
			})
		})
	}
}
