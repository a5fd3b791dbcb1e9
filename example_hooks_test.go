package rxcql_test

import (
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// counters are metrics in a map. For Prometheus, take CounterVecs with the labels stage and
// error_type, and a HistogramVec of WriteEvent.Duration.
type counters struct {
	mu sync.Mutex
	n  map[string]int64
}

func (c *counters) add(n int64, name string, labels ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n[name+"{"+strings.Join(labels, ",")+"}"] += n
}

func (c *counters) hooks() rxcql.Hooks {
	return rxcql.Hooks{
		PageRead: func(_ context.Context, e rxcql.PageEvent) {
			c.add(1, "pages_read", e.Stage)
			c.add(int64(e.Rows), "rows_read", e.Stage)
		},
		RowsWritten: func(_ context.Context, e rxcql.WrittenEvent) { c.add(int64(e.Rows), "rows_written", e.Stage) },
		WriteEnd: func(_ context.Context, e rxcql.WriteEvent) {
			c.add(1, "write_requests", e.Stage, e.Table, e.ErrorType)
			c.add(e.Duration.Milliseconds(), "write_requests_ms", e.Stage, e.Table, e.ErrorType)
		},
		Retry:     func(_ context.Context, e rxcql.RetryEvent) { c.add(1, "retries", e.Stage, e.ErrorType) },
		RowFailed: func(_ context.Context, e rxcql.RowFailedEvent) { c.add(1, "rows_failed", e.Stage) },
		RunEnd:    func(_ context.Context, e rxcql.RunEvent) { c.add(1, "runs", e.ErrorType) },
	}
}

// Metrics need the functions of single events and those of ends alone.
func ExampleHooks_metrics() {
	c := &counters{n: map[string]int64{}}
	in := source.Seq(numbers(25, nil), source.PageRows(10))
	each := sink.Each(func(context.Context, int) error { return nil })
	if _, err := rxcql.Run(context.Background(), in, each, rxcql.WithHooks(c.hooks())); err != nil {
		fmt.Println(err)
	}
	for _, name := range slices.Sorted(maps.Keys(c.n)) {
		fmt.Println(name, c.n[name])
	}
	// Output:
	// pages_read{Seq} 3
	// rows_read{Seq} 25
	// rows_written{Each} 25
	// runs{} 1
}

// span is one of a tracer: what OpenTelemetry has in trace.Span.
type span struct {
	name  string
	depth int
}

// start makes a span inside that of the context; of OpenTelemetry it would be tracer.Start.
func start(ctx context.Context, name string) context.Context {
	s := span{name: name}
	if outer, inside := ctx.Value(span{}).(span); inside {
		s.depth = outer.depth + 1
	}
	return context.WithValue(ctx, span{}, s)
}

// end prints the span that the context has; of OpenTelemetry it would be
// trace.SpanFromContext(ctx).End().
func end(ctx context.Context, attributes string) {
	s, _ := ctx.Value(span{}).(span)
	fmt.Println(strings.Repeat("  ", s.depth) + s.name + " " + attributes)
}

// tracer makes a span of each run, each request and each save. The names of attributes are
// those of OpenTelemetry's conventions for databases.
func tracer() rxcql.Hooks {
	return rxcql.Hooks{
		RunStart: func(ctx context.Context, _ rxcql.RunEvent) context.Context { return start(ctx, "run") },
		RunEnd: func(ctx context.Context, e rxcql.RunEvent) {
			end(ctx, fmt.Sprintf("sources=%v sinks=%v rows=%d error.type=%q", e.Sources, e.Sinks, e.Report.ReadRows, e.ErrorType))
		},
		FetchStart: func(ctx context.Context, e rxcql.FetchEvent) context.Context {
			return start(ctx, "SELECT "+e.Keyspace+"."+e.Table)
		},
		FetchEnd: func(ctx context.Context, e rxcql.FetchEvent) {
			end(ctx, fmt.Sprintf("db.system.name=cassandra db.namespace=%s db.collection.name=%s cassandra.consistency.level=%s "+
				"db.response.returned_rows=%d error.type=%q", e.Keyspace, e.Table, strings.ToLower(e.Consistency), e.Rows, e.ErrorType))
		},
		WriteStart: func(ctx context.Context, e rxcql.WriteEvent) context.Context {
			return start(ctx, e.Operation+" "+e.Keyspace+"."+e.Table)
		},
		WriteEnd: func(ctx context.Context, e rxcql.WriteEvent) {
			end(ctx, fmt.Sprintf("db.system.name=cassandra db.collection.name=%s db.operation.batch.size=%d error.type=%q",
				e.Table, e.Rows, e.ErrorType))
		},
		SaveStart: func(ctx context.Context, e rxcql.SaveEvent) context.Context { return start(ctx, "save "+e.Job) },
		SaveEnd: func(ctx context.Context, e rxcql.SaveEvent) {
			for _, at := range e.Sources {
				end(ctx, fmt.Sprintf("source=%s rows=%d error.type=%q", at.Stage, at.Rows, e.ErrorType))
			}
		},
	}
}

// A tracer keeps its span in the context: the request runs under it, and gocql's own
// observers find it there.
func ExampleHooks_tracing() {
	in := source.SeqFrom("numbers", func(from int64) iter.Seq2[int, error] {
		return numbers(25, nil)
	}, source.PageRows(10))
	each := sink.Each(func(context.Context, int) error { return nil }, sink.Idempotent())
	_, err := rxcql.Run(context.Background(), in, each, rxcql.WithHooks(tracer()),
		rxcql.WithCheckpoint(newMemoryStore(), "numbers", rxcql.CheckpointInterval(time.Hour)))
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	//   save numbers source=Seq rows=25 error.type=""
	// run sources=[Seq] sinks=[Each] rows=25 error.type=""
}
