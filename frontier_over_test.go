package rxcql_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// A stream that is read again for years makes a frontier each time that it is read. Of one whose
// windows have all been given nothing is left to know: also where it ended well, and what comes
// behind it has failed.
func TestARunForgetsTheFrontiersOfWindowsThatHaveEndedWell(t *testing.T) {
	const attempts = 40
	passes := errors.New("passes")
	at := func(n int) time.Time { return time.Unix(int64(n), 0) }
	windows := operators.Window(source.Of(1, 2, 13, 25), operators.Tumbling(10*time.Second), at, func(int) int { return 0 },
		func() int { return 0 }, func(sum, n int) (int, error) { return sum + n, nil }, operators.WindowKeys(10))
	sums := operators.Map(windows, func(r operators.WindowResult[int, int]) (int, error) { return r.Value, nil })
	var p *rxcql.Pipeline
	known, calls := 0, 0
	fails := operators.Map(source.Of(100), func(n int) (int, error) {
		known = max(known, p.Frontiers())
		if calls++; calls < attempts {
			return 0, passes
		}
		return n, nil
	})
	again := operators.Retry(operators.Concat(sums, fails), operators.RetryAttempts(0), operators.RetryDelay(time.Nanosecond, time.Nanosecond),
		operators.RetryIf(func(err error) bool { return errors.Is(err, passes) }))
	results := 0
	p, err := rxcql.New(again, sink.Each(func(context.Context, int) error { results++; return nil }, sink.Idempotent(), sink.InFlight(1)))
	require.NoError(t, err)
	rep, err := p.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, attempts, calls)
	require.Equal(t, 3*attempts+1, results)
	require.Zero(t, rep.HeldPages)
	require.Positive(t, known)
	require.LessOrEqual(t, known, 3, "of %d readings", attempts)
}
