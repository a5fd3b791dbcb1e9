package sink_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// rawSink is a sink of a user's that returns errors as they are.
type rawSink struct {
	write func(rows []event) error
}

func (s rawSink) Info() rxcql.SinkInfo {
	return rxcql.SinkInfo{Resumable: true, Stages: []string{"Raw"}}
}

func (s rawSink) Check(context.Context) error { return nil }

func (s rawSink) Open(_ context.Context, r *rxcql.Execution) (rxcql.Writer[event], error) {
	return rawWriter{s, r.SinkStage("Raw")}, nil
}

type rawWriter struct {
	rawSink
	st *rxcql.Stage
}

func (w rawWriter) Write(_ context.Context, p *flow.Page[event]) error {
	w.st.CountIn(len(p.Rows))
	if err := w.write(p.Rows); err != nil {
		return err
	}
	w.st.CountWritten(len(p.Rows))
	return nil
}

func (w rawWriter) Flush(context.Context) error { return nil }
func (w rawWriter) Close() error                { return nil }

// asksFirst is an operator that hands a page on unless its function fails.
type asksFirst struct {
	flow.Observer[event]
	may func() error
}

func (o asksFirst) Next(ctx context.Context, p *flow.Page[event]) error {
	if err := o.may(); err != nil {
		return err
	}
	return o.Observer.Next(ctx, p)
}

// A job inside of a function of another run asks the context of that function, and says by itself
// what has ended it. Nothing that it has not written is settled by that.
func TestAJobThatSaysTheEndOfAnotherRunIsNotSettledByThat(t *testing.T) {
	const rows = 100
	type job struct {
		ended   func() error // why the context of the function has ended
		written map[int64]bool
	}
	each := func(fn func(event) error) rxcql.Sink[event] {
		return sink.Each(func(_ context.Context, e event) error { time.Sleep(time.Second); return fn(e) }, sink.Idempotent())
	}
	raw := func(j *job, says func(error) error) rxcql.Sink[event] {
		return rawSink{func(rows []event) error {
			time.Sleep(10 * time.Second)
			if err := j.ended(); err != nil {
				return says(err)
			}
			for _, e := range rows {
				j.written[e.P] = true
			}
			return nil
		}}
	}
	same := func(err error) error { return err }
	panics := func(err error) error { panic(err) }
	in := func() rxcql.Stream[event] { return inTurn(rows, source.PageRows(10)) }
	for name, run := range map[string]func(j *job) (rxcql.Stream[event], rxcql.Sink[event]){
		"a sink":             func(j *job) (rxcql.Stream[event], rxcql.Sink[event]) { return in(), raw(j, same) },
		"a sink that panics": func(j *job) (rxcql.Stream[event], rxcql.Sink[event]) { return in(), raw(j, panics) },
		"a sink behind Route": func(j *job) (rxcql.Stream[event], rxcql.Sink[event]) {
			return in(), sink.Route(func(event) int { return 0 }, raw(j, same))
		},
		"a sink that wraps it": func(j *job) (rxcql.Stream[event], rxcql.Sink[event]) {
			return in(), raw(j, func(err error) error { return fmt.Errorf("not written: %w", err) })
		},
		"a function that panics": func(j *job) (rxcql.Stream[event], rxcql.Sink[event]) {
			return in(), each(func(e event) error {
				if err := j.ended(); err != nil {
					panic(err)
				}
				j.written[e.P] = true
				return nil
			})
		},
		"a function of an operator": func(j *job) (rxcql.Stream[event], rxcql.Sink[event]) {
			asks := operators.Map(in(), func(e event) (event, error) { return e, j.ended() })
			return asks, each(func(e event) error { j.written[e.P] = true; return nil })
		},
		"an operator": func(j *job) (rxcql.Stream[event], rxcql.Sink[event]) {
			return rxcql.Lift(in(), rxcql.StageInfo{Name: "Mine"}, func(_ *rxcql.Stage, out flow.Observer[event]) flow.Observer[event] {
				return asksFirst{out, j.ended}
			}), raw(j, same)
		},
		"a stream before Batch": func(j *job) (rxcql.Stream[event], rxcql.Sink[event]) {
			src := in()
			mine := rxcql.NewStream(rxcql.StageInfo{Name: "Mine"}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[event]) error {
				if err := src.Subscribe(ctx, st, out); err != nil {
					if ended := j.ended(); ended != nil {
						return ended
					}
					return err
				}
				return nil
			}, src)
			return operators.FlatMap(operators.Batch(mine, operators.BatchRows(7)), eachOf), raw(j, same)
		},
	} {
		t.Run(name, func(t *testing.T) {
			store, j := &jobtest.Store{}, &job{written: map[int64]bool{}}
			start := func(ctx context.Context) (rxcql.Report, error) {
				j.ended = func() error { return context.Cause(ctx) }
				in, to := run(j)
				return rxcql.Run(ctx, in, to, rxcql.WithCheckpoint(store, "job"))
			}
			synctest.Test(t, func(t *testing.T) {
				outer := operators.MapConcurrent(source.Of(0, 1, 2), 3, func(ctx context.Context, i int) (int, error) {
					if i == 1 {
						rep, err := start(ctx)
						require.Error(t, err)
						require.Empty(t, rep.EndedBy)
						return 0, err
					}
					time.Sleep(15*time.Second + time.Millisecond)
					return i, nil
				})
				rep, err := rxcql.Run(t.Context(), operators.TakeWhile(outer, func(int) bool { return false }),
					sink.Each(func(context.Context, int) error { return nil }))
				require.NoError(t, err)
				require.Equal(t, "TakeWhile", rep.EndedBy)
			})
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Hour) // each bubble begins at the same time
				rep, err := start(t.Context())
				require.NoError(t, err)
				require.True(t, rep.Complete)
			})
			require.Equal(t, rows, len(j.written)) //nolint:testifylint // Len prints them all
		})
	}
}
