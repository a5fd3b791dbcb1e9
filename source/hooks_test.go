package source_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/gocql/gocql"
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

// fetches are the requests for pages that hooks were told of.
type fetches struct {
	mu           sync.Mutex
	starts, ends []rxcql.FetchEvent
	retries      []rxcql.RetryEvent
}

func (f *fetches) hooks() rxcql.Option {
	return rxcql.WithHooks(rxcql.Hooks{
		FetchStart: func(ctx context.Context, e rxcql.FetchEvent) context.Context {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.starts = append(f.starts, e)
			return ctx
		},
		FetchEnd: func(_ context.Context, e rxcql.FetchEvent) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.ends = append(f.ends, e)
		},
		Retry: func(_ context.Context, e rxcql.RetryEvent) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.retries = append(f.retries, e)
		},
	})
}

// moody does with each page what the function does.
type moody int32

var mood func()

func (*moody) UnmarshalCQL(gocql.TypeInfo, []byte) error {
	mood()
	return nil
}

func TestARequestEndsAlsoWhereItsPageIsNotDecoded(t *testing.T) {
	s := &cqltest.Script{Statement: scripted, Pages: [][]int32{{1, 2}, {3}}}
	session := s.Start(t)
	for name, leave := range map[string]func(){"a panic": func() { panic("moody") }, "Goexit": runtime.Goexit} {
		mood = leave
		var f fetches
		_, err := source.Query[moody](session, scripted, source.PageRows(2)).Count(t.Context(), f.hooks())
		require.Error(t, err, name)
		require.Len(t, f.starts, 1, name)
		require.Len(t, f.ends, 1, name)
		require.ErrorContains(t, f.ends[0].Err, "not decoded to its end", name)
		require.Equal(t, "other", f.ends[0].ErrorType, name)
		require.Equal(t, 2, f.ends[0].Rows, name)
		require.NotEmpty(t, f.ends[0].Host, name)
	}
}

func TestTheDurationOfARequestIsWithoutDecoding(t *testing.T) {
	const decoding = 100 * time.Millisecond
	mood = func() { time.Sleep(decoding) }
	s := &cqltest.Script{Statement: scripted, Pages: [][]int32{{1, 2}, {3}}}
	var besides []time.Duration
	_, err := source.Query[moody](s.Start(t), scripted, source.PageRows(2)).Count(t.Context(), rxcql.WithHooks(rxcql.Hooks{
		FetchEnd: func(_ context.Context, e rxcql.FetchEvent) {
			besides = append(besides, time.Since(e.Start)-e.Duration)
		},
	}))
	require.NoError(t, err)
	require.Len(t, besides, 2)
	require.GreaterOrEqual(t, besides[0], 2*decoding)
	require.GreaterOrEqual(t, besides[1], decoding)
}

func TestEveryRequestForAPageHasANumberOfItsOwn(t *testing.T) {
	var f fetches
	rep, err := source.Query[int32](unpaged(300).Start(t), scripted).ForEach(t.Context(), func(int32) error { return nil }, f.hooks())
	require.NoError(t, err)
	require.EqualValues(t, 1, rep.Retried)
	require.Len(t, f.ends, 3)
	for i, want := range []struct {
		pageRows int
		kind     string
		rows     int
	}{{100, "invalid", 0}, {0, "overloaded", 0}, {0, "", 300}} {
		got := f.ends[i]
		require.Equal(t, []any{i + 1, want.pageRows, want.kind, want.rows}, []any{got.Attempt, got.PageRows, got.ErrorType, got.Rows})
		require.Equal(t, f.starts[i].Attempt, got.Attempt)
	}
	require.Len(t, f.retries, 1)
	require.Equal(t, 2, f.retries[0].Attempt, "as WithRetry counts")
}

func TestARequestThatIsGivenUpDoesNotSayWhy(t *testing.T) {
	const secret = "an account of Mrs. Miller"
	failing, failed := make(chan struct{}), make(chan struct{})
	s := &cqltest.Script{Statement: scripted, Pages: [][]int32{{1, 2}, {3}}, Fail: func(page int) message.Message {
		if page == 1 { // which is asked for while the first is worked on
			close(failing)
			<-failed
		}
		return nil
	}}
	session := s.Start(t)
	var f fetches
	_, err := source.Query[int32](session, scripted, source.PageRows(2)).ForEach(t.Context(), func(int32) error {
		<-failing
		return errors.New(secret)
	}, f.hooks())
	close(failed)
	require.EqualError(t, err, secret)
	require.Len(t, f.ends, 2)
	e := f.ends[1]
	require.Equal(t, "cancelled", e.ErrorType)
	require.EqualError(t, e.Err, "given up: context canceled")
	require.Zero(t, e.Rows)
	require.Zero(t, e.Bytes)
	require.Len(t, f.starts, 2)
}

func TestARetryOfAFunctionIsToldWithoutItsWords(t *testing.T) {
	var f fetches
	calls := 0
	in := source.Pages(func(context.Context) ([]int, error) {
		if calls++; calls < 3 {
			return nil, fmt.Errorf("account %q: %w", "Miller", io.ErrUnexpectedEOF)
		}
		return []int{1}, io.EOF
	})
	n, err := in.Count(t.Context(), f.hooks())
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	require.Len(t, f.retries, 2)
	for i, e := range f.retries {
		require.Equal(t, []any{"Pages", i + 2, "connection lost"}, []any{e.Stage, e.Attempt, e.ErrorType})
		require.ErrorIs(t, e.Err, io.ErrUnexpectedEOF)
		require.EqualError(t, e.Err, `account "…": unexpected EOF`)
	}
}
