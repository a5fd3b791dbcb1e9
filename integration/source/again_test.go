package source_test

import (
	"context"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// failingTwice is in, but fails at two of its rows as a look-up that gets no answer would.
func failingTwice(in rxcql.Stream[int64], first, second int) rxcql.Stream[int64] {
	calls := 0
	return operators.Map(in, func(v int64) (int64, error) {
		if calls++; calls == first || calls == second {
			return 0, gocql.ErrTimeoutNoResponse
		}
		return v, nil
	})
}

func TestATableAndAQueryAreReadAgainByRetryAndInAJobFromWhereTheyWere(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	const rows, page = 6000, 100
	fill(t, session, ks+".t", rows)
	for name, c := range map[string]struct {
		in   func() rxcql.Stream[int64]
		rows int
	}{
		"Table": {func() rxcql.Stream[int64] {
			return source.Table[int64](session, ks+".t", source.Columns("v"), source.PageRows(page))
		}, rows},
		"Query": {func() rxcql.Stream[int64] {
			return source.Query[int64](session, "SELECT v FROM "+ks+".t WHERE pk = ?", source.Bind(3), source.PageRows(page))
		}, 1000},
	} {
		for _, job := range []bool{false, true} {
			times := map[int64]int{}
			to := sink.Each(func(_ context.Context, v int64) error { times[v]++; return nil }, sink.Idempotent())
			var opts []rxcql.Option
			if job {
				opts = append(opts, rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
			}
			again := operators.Retry(failingTwice(c.in(), c.rows/2, c.rows), operators.RetryDelay(time.Millisecond, time.Second))
			rep, err := rxcql.Run(t.Context(), again, to, opts...)
			require.NoError(t, err, name)
			require.True(t, rep.Complete, name)
			require.Len(t, times, c.rows, name)
			require.EqualValues(t, 2, rep.Retried, name)
			require.Equal(t, rep.Pages, rep.PagesSettled+rep.PagesGivenUp, name)
			require.Zero(t, rep.BytesInFlight, name)
			if !job {
				continue
			}
			for v, n := range times {
				require.Equal(t, 1, n, "%s: %d came again though it was settled", name, v)
			}
			require.LessOrEqual(t, rep.ReadRows, int64(c.rows+2*page), "%s: only pages that were open are read again", name)
		}
	}
}
