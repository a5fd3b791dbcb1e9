package source_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/cqltest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestBuildingAPipelineSendsNothing(t *testing.T) {
	s := &cqltest.Script{Statement: scripted, Pages: [][]int32{{1}}}
	session := s.Start(t)
	opened := s.Took()
	require.NotEmpty(t, opened, "it sees what is sent")

	type row struct {
		V int32 `cql:"v"`
	}
	for _, stream := range []rxcql.Stream[row]{source.Table[row](session, "ks.t"), source.Query[row](session, scripted)} {
		stream = operators.Filter(stream, func(row) bool { return true })
		_ = stream.All(t.Context())
		_ = stream.Observable(t.Context())
		for _, to := range []rxcql.Sink[row]{
			sink.Table[row](session, "ks.t"),
			sink.Exec(session, "INSERT INTO ks.t (v) VALUES (?)", func(r row) ([]any, error) { return []any{r.V}, nil }),
		} {
			_, err := rxcql.New(stream, to)
			require.NoError(t, err)
		}
	}
	require.Empty(t, s.Took())

	_, err := source.Query[row](session, scripted).Collect(t.Context())
	require.NoError(t, err)
	require.Len(t, s.Took(), 11, "a PREPARE and an EXECUTE are seen for each of four questions about the schema and for the page, "+
		"a PREPARE for the check, and nothing that came late")
}

func TestTakeTenOfAQueryAsksForOnePage(t *testing.T) {
	watch := &requests{match: "SELECT \"pk\""}
	session, ks := cassandra.Keyspace(t, cluster, observed(watch))
	fill(t, session, ks+".t", 20_000)

	rows, err := operators.Take(source.Query[cell](session, "SELECT \"pk\", ck, v FROM "+ks+".t"), 10).Collect(t.Context())
	require.NoError(t, err)
	require.Len(t, rows, 10)
	require.EqualValues(t, 1, watch.pages.Load())
}

func TestASinkThatNeverAcceptsStopsThePaging(t *testing.T) {
	watch := &requests{match: "SELECT \"pk\""}
	session, ks := cassandra.Keyspace(t, cluster, observed(watch))
	fill(t, session, ks+".t", 200_000)
	stop := errors.New("seen enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)

	const budget = 256 << 10
	p, err := rxcql.New(source.Table[cell](session, ks+".t"),
		sink.Each(func(ctx context.Context, _ cell) error {
			<-ctx.Done()
			return context.Cause(ctx)
		}), rxcql.WithBudget(budget), rxcql.WithGrace(0))
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() {
		_, err := p.Run(ctx)
		done <- err
	}()
	var pages int64 = -1
	require.Eventually(t, func() bool { // until nothing moves any more
		now := watch.pages.Load()
		still := now == pages && now > 0
		pages = now
		return still
	}, 3*time.Minute, 700*time.Millisecond)
	report := p.Progress()
	require.LessOrEqual(t, report.PeakBytes, budget+int64(report.PeakFetches)*report.LargestPage)
	require.Less(t, report.ReadRows, int64(50_000))
	cancel(stop)
	require.ErrorIs(t, <-done, stop)
}
