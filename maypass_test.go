package rxcql_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

func TestMayPassKnowsWhatIsWorthAnotherTryHoweverItIsWrapped(t *testing.T) {
	wrapped := func(err error) []error {
		return []error{
			err, fmt.Errorf("look up: %w", err), &rxcql.StageError{Stage: "Map", Err: err}, &rxcql.RowError{Err: err},
			&rxcql.RetryError{Err: err}, &rxcql.UnknownOutcomeError{Err: err}, errors.Join(errors.New("another"), err),
			&rxcql.StageError{Err: &rxcql.RowError{Err: &rxcql.RetryError{Err: fmt.Errorf("%w", err)}}},
		}
	}
	for _, passes := range []error{
		gocql.ErrNoConnections, gocql.ErrNoConnectionsStarted, gocql.ErrNoHosts, gocql.ErrTimeoutNoResponse, gocql.ErrConnectionClosed,
		gocql.ErrTooManyTimeouts, gocql.ErrNoStreams, gocql.ErrUnavailable, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED},
		os.ErrDeadlineExceeded, // of a connection
		refusal{gocql.ErrCodeUnavailable, ""}, refusal{gocql.ErrCodeOverloaded, ""}, refusal{gocql.ErrCodeBootstrapping, ""},
		refusal{gocql.ErrCodeReadTimeout, ""}, refusal{gocql.ErrCodeReadFailure, ""}, refusal{gocql.ErrCodeWriteTimeout, ""},
		refusal{gocql.ErrCodeWriteFailure, ""}, refusal{gocql.ErrCodeServer, ""}, refusal{gocql.ErrCodeUnprepared, ""},
	} {
		for _, err := range wrapped(passes) {
			require.True(t, rxcql.MayPass(err), "%v", err)
		}
	}
	for _, stays := range []error{
		context.Canceled, context.DeadlineExceeded, gocql.ErrSessionClosed, gocql.ErrNotFound, gocql.ErrFrameTooBig, errTest,
		rxcql.ErrSchema, rxcql.ErrConfig, &fs.PathError{Op: "open", Err: syscall.ENOENT},
		refusal{gocql.ErrCodeInvalid, ""}, refusal{gocql.ErrCodeSyntax, ""}, refusal{gocql.ErrCodeUnauthorized, ""},
		refusal{gocql.ErrCodeReadFailure, "READ_TOO_MANY_TOMBSTONES"},
	} {
		for _, err := range wrapped(stays) {
			require.False(t, rxcql.MayPass(err), "%v", err)
		}
	}
	require.False(t, rxcql.MayPass(nil))
	_, err := operators.Map(seq(1), func(int) (int, error) { panic(gocql.ErrNoConnections) }).Collect(context.Background())
	require.ErrorIs(t, err, gocql.ErrNoConnections)
	require.False(t, rxcql.MayPass(err), "a panic")
}

func TestAFunctionOfMapConcurrentAsksAgainAsWithRetrySays(t *testing.T) {
	alone(t, "until it passes", func(t *testing.T) {
		var asked atomic.Int64
		in := operators.MapConcurrent(seq(5), 2, func(ctx context.Context, n int) (int, error) {
			err := rxcql.Retry(ctx, rxcql.MayPass, func() error {
				if asked.Add(1)%3 != 0 {
					return gocql.ErrNoConnections
				}
				return nil
			})
			return n, err
		})
		rep, err := pipeline(t, in, &memory[int]{}).Run(context.Background())
		require.NoError(t, err)
		require.EqualValues(t, 5, rep.Written)
		require.Equal(t, asked.Load()-5, rep.Retried, "the report counts them")
	})
	alone(t, "up to its limit", func(t *testing.T) {
		in := operators.MapConcurrent(seq(5), 2, func(ctx context.Context, n int) (int, error) {
			return n, rxcql.Retry(ctx, rxcql.MayPass, func() error { return gocql.ErrTimeoutNoResponse })
		})
		_, err := pipeline(t, in, &memory[int]{}, rxcql.WithRetry(rxcql.DefaultRetryTime, 4), rxcql.WithRowErrors(rxcql.SkipRows(9))).
			Run(context.Background())
		var given *rxcql.RetryError
		require.ErrorAs(t, err, &given)
		require.Equal(t, 4, given.Attempts)
		require.True(t, rxcql.MayPass(err), "it is no row's own error, and ends the run")
	})
}
