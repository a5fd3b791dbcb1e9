package source_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/cqltest"
	"github.com/rxcql/rxcql/source"
)

func TestEachRequestForAPageIsToldWithWhatCameOfIt(t *testing.T) {
	failed := false
	s := &cqltest.Script{Statement: scripted, Pages: [][]int32{{1, 2}, {}, {3}}, Fail: func(page int) message.Message {
		if page != 1 || failed {
			return nil
		}
		failed = true
		return &message.Overloaded{ErrorMessage: "too much to do"}
	}}
	session := s.Start(t)
	type span struct{}
	var mu sync.Mutex
	var starts, ends []rxcql.FetchEvent
	var retries []rxcql.RetryEvent
	hooks := rxcql.Hooks{
		FetchStart: func(ctx context.Context, e rxcql.FetchEvent) context.Context {
			mu.Lock()
			defer mu.Unlock()
			starts = append(starts, e)
			return context.WithValue(ctx, span{}, len(starts))
		},
		FetchEnd: func(ctx context.Context, e rxcql.FetchEvent) {
			mu.Lock()
			defer mu.Unlock()
			ends = append(ends, e)
			require.Equal(t, len(ends), ctx.Value(span{}), "the context of its own start")
		},
		Retry: func(_ context.Context, e rxcql.RetryEvent) { retries = append(retries, e) },
	}
	rep, err := source.Query[int32](session, scripted, source.PageRows(2)).ForEach(t.Context(), func(int32) error { return nil }, rxcql.WithHooks(hooks))
	require.NoError(t, err)
	require.EqualValues(t, 1, rep.Retried)
	require.Len(t, starts, 4)
	require.Len(t, ends, 4)
	for i, want := range []struct {
		page          int64
		attempt, rows int
		bytes         int64
		errorType     string
	}{
		{page: 0, attempt: 1, rows: 2, bytes: 8},
		{page: 1, attempt: 1, errorType: "overloaded"},
		{page: 1, attempt: 2},
		{page: 2, attempt: 1, rows: 1, bytes: 4},
	} {
		begun := rxcql.FetchEvent{
			Stage: "Query", Keyspace: "ks", Table: "t", Part: "all", Page: want.page, Attempt: want.attempt,
			PageRows: 2, Consistency: "QUORUM", Start: starts[i].Start,
		}
		require.Equal(t, begun, starts[i])
		require.False(t, begun.Start.Before(rep.Started))
		got := ends[i]
		require.Positive(t, got.Duration)
		require.Equal(t, want.errorType == "", got.Err == nil)
		require.Equal(t, want.errorType == "", got.Host != "")
		begun.Duration, begun.Err, begun.Host = got.Duration, got.Err, got.Host
		begun.Rows, begun.Bytes, begun.ErrorType = want.rows, want.bytes, want.errorType
		require.Equal(t, begun, got)
	}
	require.Len(t, retries, 1)
	require.Equal(t, rxcql.RetryEvent{Stage: "Query", Attempt: 2, Wait: retries[0].Wait, Err: ends[1].Err, ErrorType: "overloaded"}, retries[0])
	require.Greater(t, retries[0].Wait, 30*time.Millisecond)
}
