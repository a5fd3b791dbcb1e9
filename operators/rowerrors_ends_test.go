package operators_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
)

// endedWith runs a stream that TakeWhile ends and requires that every stage
// accounts for its rows.
func endedWith(t *testing.T, s rxcql.Stream[int], policy rxcql.RowErrorPolicy) rxcql.Report {
	t.Helper()
	p, err := rxcql.New(s, &gather[int]{}, rxcql.WithRowErrors(policy))
	require.NoError(t, err)
	rep, err := p.Run(context.Background())
	require.NoError(t, err)
	require.Equal(t, "TakeWhile", rep.EndedBy)
	for _, st := range rep.Stages[1:] {
		require.Equal(t, st.In, st.Out+st.Dropped+st.Skipped+st.DeadLettered, "%v", rep)
	}
	require.Equal(t, rep.ReadRows, rep.Written+rep.Filtered+rep.Skipped+rep.DeadLettered, "%v", rep)
	require.Equal(t, rep.Pages, rep.PagesSettled)
	require.Zero(t, rep.BytesInFlight)
	return rep
}

func TestRowsThatFailedBehindOthersWhenTheStreamEndedCountOnce(t *testing.T) {
	for _, opts := range [][]operators.MapConcurrentOption{nil, {operators.Unordered()}} {
		for _, policy := range []rxcql.RowErrorPolicy{rxcql.SkipRows(10), rxcql.DeadLetter(&jobtest.Letters{})} {
			synctest.Test(t, func(t *testing.T) {
				calls := operators.MapConcurrent(count(100, 100), 10, func(ctx context.Context, n int) (int, error) {
					switch n {
					case 0:
						return n, nil
					case 5, 7: // behind calls that do not come back
						return 0, errBad
					}
					<-ctx.Done()
					return 0, ctx.Err()
				}, opts...)
				rep := endedWith(t, operators.TakeWhile(calls, func(int) bool { time.Sleep(time.Minute); return false }), policy)
				require.EqualValues(t, 2, rep.Skipped+rep.DeadLettered)
				require.EqualValues(t, 98, rep.Filtered)
			})
		}
	}
}

func TestARowThatFailsWhenTheStreamHasBeenEndedDownstreamIsNoFailure(t *testing.T) {
	for _, policy := range []rxcql.RowErrorPolicy{rxcql.SkipRows(10), rxcql.DeadLetter(&jobtest.Letters{})} {
		synctest.Test(t, func(t *testing.T) {
			inside := make(chan struct{})
			slow := operators.Map(count(400, 200), func(n int) (int, error) {
				if n == 300 {
					close(inside)
					time.Sleep(time.Minute)
					return 0, errBad
				}
				return n, nil
			})
			calls := operators.MapConcurrent(slow, 200, ctxDouble)
			rep := endedWith(t, operators.TakeWhile(calls, func(int) bool { <-inside; return false }), policy)
			require.EqualValues(t, 1, rep.Skipped+rep.DeadLettered)
		})
	}
}
