package sink_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// parents notes in which span each request of the session was made.
type parents struct {
	mu    sync.Mutex
	reads []any
	other []any // inserts, single or in batches
}

type spanKey struct{}

func (p *parents) ObserveQuery(ctx context.Context, q gocql.ObservedQuery) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case strings.Contains(q.Statement, "token("):
		p.reads = append(p.reads, ctx.Value(spanKey{}))
	case strings.Contains(q.Statement, "INSERT"):
		p.other = append(p.other, ctx.Value(spanKey{}))
	}
}

func (p *parents) ObserveBatch(ctx context.Context, _ gocql.ObservedBatch) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.other = append(p.other, ctx.Value(spanKey{}))
}

func TestSpansOfTheDriverNestInThoseOfTheRequests(t *testing.T) {
	p := &parents{}
	session, ks := cassandra.Keyspace(t, cluster, cassandra.Configure(func(c *gocql.ClusterConfig) { c.BatchObserver, c.QueryObserver = p, p }))
	create(t, session, "CREATE TABLE a "+eventColumns, "CREATE TABLE b "+eventColumns)
	var all []event
	for i := range 300 {
		all = append(all, event{int64(i % 7), int32(i), text("v")})
	}
	run(t, rows(all...), sink.Table[event](session, ks+".a"))

	p.mu.Lock()
	p.reads, p.other = nil, nil
	p.mu.Unlock()
	var mu sync.Mutex
	var fetches []rxcql.FetchEvent
	var written []rxcql.WriteEvent
	hooks := rxcql.WithHooks(rxcql.Hooks{
		RunStart: func(ctx context.Context, _ rxcql.RunEvent) context.Context {
			return context.WithValue(ctx, spanKey{}, "run")
		},
		FetchStart: func(ctx context.Context, _ rxcql.FetchEvent) context.Context {
			require.Equal(t, "run", ctx.Value(spanKey{}))
			return context.WithValue(ctx, spanKey{}, "fetch")
		},
		FetchEnd: func(_ context.Context, e rxcql.FetchEvent) {
			mu.Lock()
			defer mu.Unlock()
			fetches = append(fetches, e)
		},
		WriteStart: func(ctx context.Context, _ rxcql.WriteEvent) context.Context {
			require.Equal(t, "run", ctx.Value(spanKey{}))
			return context.WithValue(ctx, spanKey{}, "write")
		},
		WriteEnd: func(_ context.Context, e rxcql.WriteEvent) {
			mu.Lock()
			defer mu.Unlock()
			written = append(written, e)
		},
	})
	rep := run(t, source.Table[event](session, ks+".a", source.Splits(8)), sink.Table[event](session, ks+".b"), hooks)

	read, sent := 0, 0
	for _, e := range fetches {
		require.NoError(t, e.Err)
		require.Equal(t, []any{ks, "a", "QUORUM", 1}, []any{e.Keyspace, e.Table, e.Consistency, e.Attempt})
		require.NotEmpty(t, e.Host)
		require.Contains(t, e.Part, "]")
		read += e.Rows
	}
	for _, e := range written {
		require.NoError(t, e.Err)
		require.Equal(t, []any{ks, "b", "QUORUM", "INSERT"}, []any{e.Keyspace, e.Table, e.Consistency, e.Operation})
		sent += e.Rows
	}
	require.Len(t, fetches, int(rep.Pages))
	require.EqualValues(t, rep.ReadRows, read)
	require.EqualValues(t, rep.Written, sent)

	p.mu.Lock()
	defer p.mu.Unlock()
	require.Len(t, p.reads, len(fetches))
	for _, span := range p.reads {
		require.Equal(t, "fetch", span)
	}
	require.Len(t, p.other, len(written))
	for _, span := range p.other {
		require.Equal(t, "write", span)
	}
}

func TestEachStatementOfExecIsToldWithWhatCameOfIt(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t (k int PRIMARY KEY, v text)")
	var mu sync.Mutex
	var starts, ends []rxcql.WriteEvent
	hooks := rxcql.WithHooks(rxcql.Hooks{
		WriteStart: func(ctx context.Context, e rxcql.WriteEvent) context.Context {
			mu.Lock()
			defer mu.Unlock()
			starts = append(starts, e)
			return ctx
		},
		WriteEnd: func(_ context.Context, e rxcql.WriteEvent) {
			mu.Lock()
			defer mu.Unlock()
			ends = append(ends, e)
		},
	})
	exec := func(cql string, opts ...sink.ExecOption) rxcql.Sink[int] {
		return sink.Exec(session, cql, func(k int) ([]any, error) {
			if k == 3 {
				return nil, errors.New("not this one") // so that there is no request
			}
			return []any{k, "v"}, nil
		}, opts...)
	}
	run(t, rows(1, 2, 3, 4), exec(" insert into "+ks+".t (k, v) VALUES (?, ?)"), hooks, rxcql.WithRowErrors(rxcql.SkipRows(1)))
	require.Len(t, starts, 3)
	require.Len(t, ends, 3)
	want := rxcql.WriteEvent{Stage: "Exec", Keyspace: ks, Table: "t", Operation: "INSERT", Rows: 1, Attempt: 1, Consistency: "QUORUM"}
	for i, e := range ends {
		require.NotZero(t, starts[i].Start)
		require.Positive(t, e.Duration)
		starts[i].Start, e.Start, e.Duration = want.Start, want.Start, 0
		require.Equal(t, want, starts[i])
		require.Equal(t, want, e)
	}

	starts, ends = nil, nil
	run(t, rows(1), sink.Exec(session, "UPDATE "+ks+".t SET v = ? WHERE k = ?", func(k int) ([]any, error) {
		return []any{strings.Repeat("v", 17<<20), k}, nil // more than the server takes
	}, sink.Consistency(gocql.One)), hooks, rxcql.WithRowErrors(rxcql.SkipRows(1)))
	require.Len(t, starts, 1)
	require.Len(t, ends, 1)
	require.Equal(t, []any{"UPDATE", "ONE", "too large"}, []any{ends[0].Operation, ends[0].Consistency, ends[0].ErrorType})
	require.Error(t, ends[0].Err)
}
