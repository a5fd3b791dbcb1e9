package sink_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
)

// heard is what hooks were told of the requests of a sink.
type heard struct {
	mu           sync.Mutex
	starts, ends []rxcql.WriteEvent
	retries      []rxcql.RetryEvent
	limits       []rxcql.LimitEvent
}

type spanKey struct{}

func (h *heard) hooks() rxcql.Option {
	return rxcql.WithHooks(rxcql.Hooks{
		WriteStart: func(ctx context.Context, e rxcql.WriteEvent) context.Context {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.starts = append(h.starts, e)
			return context.WithValue(ctx, spanKey{}, e.Attempt)
		},
		WriteEnd: func(ctx context.Context, e rxcql.WriteEvent) {
			h.mu.Lock()
			defer h.mu.Unlock()
			if ctx.Value(spanKey{}) == e.Attempt { // the context of its own start
				h.ends = append(h.ends, e)
			}
		},
		Retry: func(_ context.Context, e rxcql.RetryEvent) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.retries = append(h.retries, e)
		},
		InFlightLimit: func(_ context.Context, e rxcql.LimitEvent) {
			h.mu.Lock()
			defer h.mu.Unlock()
			h.limits = append(h.limits, e)
		},
	})
}

func TestEachRequestThatWritesIsToldWithWhatCameOfIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var h heard
		var attempts []any
		server := func(ctx context.Context, _ sink.Sent) error {
			attempts = append(attempts, ctx.Value(spanKey{}))
			time.Sleep(time.Second)
			if len(attempts) < 3 {
				return overloaded
			}
			return nil
		}
		rep, err := run(t, sequence(partitions(1, 100)...), sink.TableOn[event](server, events(), sink.InFlight(4)),
			rxcql.WithRetry(time.Hour, 0), h.hooks())
		require.NoError(t, err)
		require.EqualValues(t, 100, rep.Written)
		require.Equal(t, []any{1, 2, 3}, attempts, "a request runs under the context of its start")
		require.Len(t, h.starts, 3)
		require.Len(t, h.ends, 3)
		for i, got := range h.ends {
			want := h.starts[i]
			require.Positive(t, want.Bytes)
			require.Equal(t, rxcql.WriteEvent{
				Stage: rep.Stages[1].Name, Keyspace: "ks", Table: "t", Operation: "INSERT", Rows: 100, Bytes: want.Bytes, Attempt: i + 1, Start: want.Start,
			}, want)
			want.Duration = time.Second
			if i < 2 {
				want.Err, want.ErrorType = overloaded, "overloaded"
			}
			require.Equal(t, want, got)
		}
		require.Len(t, h.retries, 2)
		for i, got := range h.retries {
			require.Equal(t, h.starts[i+1].Start.Sub(h.ends[i].Start)-time.Second, got.Wait)
			require.Equal(t, rxcql.RetryEvent{Stage: rep.Stages[1].Name, Attempt: i + 2, Wait: got.Wait, Err: overloaded, ErrorType: "overloaded"}, got)
		}
		require.Equal(t, []rxcql.LimitEvent{
			{Stage: rep.Stages[1].Name, Limit: 2, Max: 4, ErrorType: "overloaded"},
			{Stage: rep.Stages[1].Name, Limit: 1, Max: 4, ErrorType: "overloaded"},
			{Stage: rep.Stages[1].Name, Limit: 2, Max: 4},
		}, h.limits)
	})
}

func TestARequestThatDeletesIsToldAsADelete(t *testing.T) {
	var h heard
	server := func(context.Context, sink.Sent) error { return nil }
	_, err := run(t, sequence(partitions(1, 3)...), sink.TableOn[event](server, events(), sink.Delete()), h.hooks())
	require.NoError(t, err)
	require.NotEmpty(t, h.ends)
	for i, e := range h.ends {
		require.Equal(t, "DELETE", e.Operation)
		require.Equal(t, "DELETE", h.starts[i].Operation)
	}
}

func TestNobodyWhoListensCostsARequestNoAllocation(t *testing.T) {
	st := stageOf(t)
	allocs := testing.AllocsPerRun(1000, func() {
		ctx, end := st.StartWrite(t.Context(), rxcql.WriteEvent{Rows: 1})
		_ = ctx
		end(rxcql.WriteEvent{Rows: 1})
		fetchCtx, ended := st.StartFetch(t.Context(), rxcql.FetchEvent{Page: 1})
		_ = fetchCtx
		ended(rxcql.FetchEvent{Page: 1})
		st.LimitChanged(1, 2, nil)
		st.CountRetry(overloaded)
		st.CountPage(1, 1)
		st.CountWritten(1)
	})
	require.Zero(t, allocs)
}

// stageOf is the stage of a sink in a run without hooks.
func stageOf(t *testing.T) (st *rxcql.Stage) {
	t.Helper()
	_, err := run(t, sequence(partitions(1, 1)...), rxcql.Sink[event](opening{&st}))
	require.NoError(t, err)
	return st
}

type opening struct{ st **rxcql.Stage }

func (opening) Info() rxcql.SinkInfo { return rxcql.SinkInfo{} }

func (opening) Check(context.Context) error { return nil }

func (o opening) Open(ctx context.Context, r *rxcql.Execution) (rxcql.Writer[event], error) {
	*o.st = r.SinkStage("Opening")
	w, err := sink.Each(func(context.Context, event) error { return nil }).Open(ctx, r)
	return w, err
}
