package docs_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// traces are hooks that make a span of each run, and inside it one of each request and save.
func traces(tracer trace.Tracer) rxcql.Hooks {
	begin := func(ctx context.Context, name string, kind trace.SpanKind) context.Context {
		ctx, _ = tracer.Start(ctx, name, trace.WithSpanKind(kind))
		return ctx
	}
	end := func(ctx context.Context, err error, errorType string, attributes ...attribute.KeyValue) {
		span := trace.SpanFromContext(ctx) // that of the Start function
		span.SetAttributes(attributes...)
		if err != nil {
			span.SetAttributes(attribute.String("error.type", errorType))
			span.SetStatus(codes.Error, err.Error())
		}
		span.End()
	}
	return rxcql.Hooks{
		RunStart: func(ctx context.Context, _ rxcql.RunEvent) context.Context {
			return begin(ctx, "rxcql run", trace.SpanKindInternal)
		},
		RunEnd: func(ctx context.Context, e rxcql.RunEvent) {
			end(ctx, e.Err, e.ErrorType,
				attribute.String("rxcql.job", e.Job),
				attribute.StringSlice("rxcql.sources", e.Sources),
				attribute.StringSlice("rxcql.sinks", e.Sinks),
				attribute.Int64("rxcql.rows.read", e.Report.ReadRows),
				attribute.Int64("rxcql.rows.written", e.Report.Written))
		},
		FetchStart: func(ctx context.Context, e rxcql.FetchEvent) context.Context {
			return begin(ctx, "SELECT "+e.Table, trace.SpanKindClient)
		},
		FetchEnd: func(ctx context.Context, e rxcql.FetchEvent) {
			end(ctx, e.Err, e.ErrorType,
				attribute.String("db.system.name", "cassandra"),
				attribute.String("db.namespace", e.Keyspace),
				attribute.String("db.collection.name", e.Table),
				attribute.String("db.operation.name", "SELECT"),
				attribute.Int("db.response.returned_rows", e.Rows),
				attribute.String("cassandra.consistency.level", strings.ToLower(e.Consistency)),
				attribute.String("cassandra.coordinator.id", e.Host))
		},
		WriteStart: func(ctx context.Context, e rxcql.WriteEvent) context.Context {
			return begin(ctx, strings.TrimSpace(e.Operation+" "+e.Table), trace.SpanKindClient)
		},
		WriteEnd: func(ctx context.Context, e rxcql.WriteEvent) {
			end(ctx, e.Err, e.ErrorType,
				attribute.String("db.system.name", "cassandra"),
				attribute.String("db.namespace", e.Keyspace),
				attribute.String("db.collection.name", e.Table),
				attribute.String("db.operation.name", e.Operation),
				attribute.Int("db.operation.batch.size", e.Rows),
				attribute.String("cassandra.consistency.level", strings.ToLower(e.Consistency)))
		},
		SaveStart: func(ctx context.Context, _ rxcql.SaveEvent) context.Context {
			return begin(ctx, "rxcql save", trace.SpanKindInternal)
		},
		SaveEnd: func(ctx context.Context, e rxcql.SaveEvent) {
			end(ctx, e.Err, e.ErrorType, attribute.String("rxcql.job", e.Job), attribute.Int("rxcql.save.bytes", e.Bytes))
		},
	}
}

// recorded is a tracer, and what it has recorded.
func recorded() (trace.Tracer, *tracetest.SpanRecorder) {
	spans := tracetest.NewSpanRecorder()
	return sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)).Tracer("weather"), spans
}

// inside notes the spans that gocql's own observer finds in its context.
type inside struct {
	mu sync.Mutex
	of map[trace.SpanID]bool
}

func (i *inside) ObserveQuery(ctx context.Context, _ gocql.ObservedQuery) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.of[trace.SpanContextFromContext(ctx).SpanID()] = true
}

func TestARunHasTraces(t *testing.T) {
	t.Chdir(t.TempDir())
	observer := inside{of: map[trace.SpanID]bool{}}
	var session *gocql.Session
	session, weather = cassandra.Keyspace(t, cluster, cassandra.Configure(func(c *gocql.ClusterConfig) { c.QueryObserver = &observer }))
	cql(t, session, readingsTable, strings.Replace(readingsTable, "readings", "archive", 1))
	fill(t, session, 2000, "roof", "cellar")
	tracer, spans := recorded()
	_, err := rxcql.Run(t.Context(), source.Table[Reading](session, weather+".readings"), sink.Table[Reading](session, weather+".archive"),
		rxcql.WithCheckpoint(checkpoint.File("traced.checkpoint"), "archive"), rxcql.WithHooks(traces(tracer)))
	require.NoError(t, err)

	ended := spans.Ended()
	require.Len(t, spans.Started(), len(ended), "each span that began has ended")
	run := ended[len(ended)-1]
	require.Equal(t, "rxcql run", run.Name())
	require.False(t, run.Parent().IsValid())
	require.Equal(t, codes.Unset, run.Status().Code)
	require.Equal(t, "archive", attributeOf(run, "rxcql.job").AsString())
	require.EqualValues(t, 4000, attributeOf(run, "rxcql.rows.read").AsInt64())
	rows := map[string]int64{}
	nested := 0
	for _, span := range ended[:len(ended)-1] {
		require.Equal(t, run.SpanContext().SpanID(), span.Parent().SpanID(), span.Name())
		switch span.Name() {
		case "SELECT readings":
			rows["read"] += attributeOf(span, "db.response.returned_rows").AsInt64()
			require.NotEmpty(t, attributeOf(span, "cassandra.coordinator.id").AsString())
		case "INSERT archive":
			rows["written"] += attributeOf(span, "db.operation.batch.size").AsInt64()
		case "rxcql save":
			rows["saves"]++
			continue
		default:
			require.Fail(t, "another span", span.Name())
		}
		require.Equal(t, trace.SpanKindClient, span.SpanKind())
		require.Equal(t, weather, attributeOf(span, "db.namespace").AsString())
		if observer.of[span.SpanContext().SpanID()] {
			nested++
		}
	}
	require.EqualValues(t, 4000, rows["read"])
	require.EqualValues(t, 4000, rows["written"])
	require.NotZero(t, rows["saves"])
	require.NotZero(t, nested, "gocql's observer finds the spans of the requests that it is told of")
}

func TestARunThatFailsSaysSoInItsSpanWithoutValues(t *testing.T) {
	session := newKeyspace(t, readingsTable, strings.Replace(readingsTable, "readings", "archive", 1))
	fill(t, session, 10, "roof")
	tracer, spans := recorded()
	readings := operators.Tap(source.Table[Reading](session, weather+".readings"), func(r Reading) error {
		return fmt.Errorf("nobody may read %q", r.Sensor)
	})
	_, err := rxcql.Run(t.Context(), readings, sink.Table[Reading](session, weather+".archive"), rxcql.WithHooks(traces(tracer)))
	require.ErrorContains(t, err, `nobody may read "roof"`)
	ended := spans.Ended()
	require.Len(t, spans.Started(), len(ended))
	run := ended[len(ended)-1]
	require.Equal(t, codes.Error, run.Status().Code)
	require.Contains(t, run.Status().Description, "nobody may read")
	require.NotContains(t, run.Status().Description, "roof")
	require.Equal(t, "other", attributeOf(run, "error.type").AsString())
}

func attributeOf(span sdktrace.ReadOnlySpan, name attribute.Key) (v attribute.Value) {
	for _, a := range span.Attributes() {
		if a.Key == name {
			v = a.Value
		}
	}
	return v
}
