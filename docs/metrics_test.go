package docs_test

import (
	"context"
	"errors"
	"expvar"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// metrics counts what runs do, by stage: n is a map of counters, such as one of Prometheus.
func metrics(n *expvar.Map) rxcql.Hooks {
	return rxcql.Hooks{
		PageRead:    func(_ context.Context, e rxcql.PageEvent) { n.Add("rows_read "+e.Stage, int64(e.Rows)) },
		RowsWritten: func(_ context.Context, e rxcql.WrittenEvent) { n.Add("rows_written "+e.Stage, int64(e.Rows)) },
		RowFailed:   func(_ context.Context, e rxcql.RowFailedEvent) { n.Add("rows_failed "+e.Stage, 1) },
		Retry:       func(_ context.Context, e rxcql.RetryEvent) { n.Add("retries "+e.ErrorType, 1) },
		BudgetWait:  func(_ context.Context, e rxcql.BudgetEvent) { n.Add("budget_wait_us", e.Wait.Microseconds()) },
		WriteEnd: func(_ context.Context, e rxcql.WriteEvent) {
			n.Add("requests "+e.Table+" "+e.ErrorType, 1)
			n.Add("request_us "+e.Table, e.Duration.Microseconds())
		},
		RunEnd: func(_ context.Context, e rxcql.RunEvent) { n.Add("runs "+e.ErrorType, 1) },
	}
}

// spans makes a span of each run, each request and each save.
func spans(tracer Tracer) rxcql.Hooks {
	end := func(ctx context.Context, err error) {
		span := SpanFromContext(ctx)
		span.RecordError(err)
		span.End()
	}
	return rxcql.Hooks{
		RunStart: func(ctx context.Context, e rxcql.RunEvent) context.Context { return tracer.Start(ctx, "run "+e.Job) },
		RunEnd:   func(ctx context.Context, e rxcql.RunEvent) { end(ctx, e.Err) },
		FetchStart: func(ctx context.Context, e rxcql.FetchEvent) context.Context {
			return tracer.Start(ctx, "SELECT "+e.Keyspace+"."+e.Table)
		},
		FetchEnd: func(ctx context.Context, e rxcql.FetchEvent) { end(ctx, e.Err) },
		WriteStart: func(ctx context.Context, e rxcql.WriteEvent) context.Context {
			return tracer.Start(ctx, e.Operation+" "+e.Keyspace+"."+e.Table)
		},
		WriteEnd:  func(ctx context.Context, e rxcql.WriteEvent) { end(ctx, e.Err) },
		SaveStart: func(ctx context.Context, e rxcql.SaveEvent) context.Context { return tracer.Start(ctx, "save "+e.Job) },
		SaveEnd:   func(ctx context.Context, e rxcql.SaveEvent) { end(ctx, e.Err) },
	}
}

// Tracer and Span are of OpenTelemetry what the recipe needs.
type (
	Tracer struct{ ended *[]string }
	Span   struct {
		tracer Tracer
		name   string
		err    error
	}
	spanKey struct{}
)

func (t Tracer) Start(ctx context.Context, name string) context.Context {
	if outer, inside := ctx.Value(spanKey{}).(*Span); inside {
		name = outer.name + " > " + name
	}
	return context.WithValue(ctx, spanKey{}, &Span{tracer: t, name: name})
}

func SpanFromContext(ctx context.Context) *Span { return ctx.Value(spanKey{}).(*Span) }

func (s *Span) RecordError(err error) { s.err = err }

func (s *Span) End() {
	if s.err != nil {
		s.name += " failed"
	}
	*s.tracer.ended = append(*s.tracer.ended, s.name)
}

func TestHooksCountAndTraceARun(t *testing.T) {
	broken := errors.New("broken")
	numbers := source.SeqFrom("numbers", func(from int64) iter.Seq2[int64, error] {
		return func(yield func(int64, error) bool) {
			for n := from; n < 30 && yield(n, nil); n++ {
			}
		}
	})
	out := sink.Each(func(_ context.Context, n int64) error {
		if n == 7 {
			return broken
		}
		return nil
	}, sink.Idempotent())
	n := new(expvar.Map).Init()
	var ended []string
	_, err := rxcql.Run(t.Context(), numbers, out, rxcql.WithHooks(metrics(n), spans(Tracer{&ended})), rxcql.WithRowErrors(rxcql.SkipRows(1)),
		rxcql.WithCheckpoint(checkpoint.File(t.TempDir()), "numbers", rxcql.CheckpointInterval(time.Hour)))
	require.NoError(t, err)
	require.Equal(t, `{"rows_failed Each": 1, "rows_read Seq": 30, "rows_written Each": 29, "runs ": 1}`, n.String())
	require.Equal(t, []string{"run numbers > save numbers", "run numbers > save numbers", "run numbers"}, ended)
}
