package sink_test

import (
	"context"
	"errors"
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

var errDisk = errors.New("the disk is full")

// atPage is a stage of a user's that calls a function in place of handing a page on; a nil one
// hands it on.
type atPage struct {
	flow.Observer[event]
	number int
	call   func(ctx context.Context) error
}

func (o *atPage) Next(ctx context.Context, p *flow.Page[event]) error {
	if o.number--; o.number == 0 {
		return o.call(ctx)
	}
	return o.Observer.Next(ctx, p)
}

// failsAtPage puts such a stage behind a stream.
func failsAtPage(in rxcql.Stream[event], number int, call func(st *rxcql.Stage, ctx context.Context) error) rxcql.Stream[event] {
	return rxcql.Lift(in, rxcql.StageInfo{Name: "Asks"}, func(st *rxcql.Stage, out flow.Observer[event]) flow.Observer[event] {
		return &atPage{out, number, func(ctx context.Context) error { return call(st, ctx) }}
	})
}

// A failure that comes with the End of the very stage is a failure: the page is read again.
func TestAFailureBesideAnEndIsAFailure(t *testing.T) {
	for name, says := range map[string]func(end error) error{
		"joined":          func(end error) error { return errors.Join(errDisk, end) },
		"joined, and not": func(end error) error { return errors.Join(end, fmt.Errorf("not done: %w", errDisk)) },
		"wrapped":         func(end error) error { return fmt.Errorf("%w: %w", end, errDisk) },
		"deep":            func(end error) error { return fmt.Errorf("not done: %w", errors.Join(end, errors.Join(end, errDisk))) },
		"of a row":        func(end error) error { return &rxcql.RowError{Row: -1, Err: end} },
		"and no more":     func(end error) error { return &notOnly{end} },
	} {
		for where, put := range map[string]func(rxcql.Stream[event]) rxcql.Stream[event]{
			"":          func(in rxcql.Stream[event]) rxcql.Stream[event] { return in },
			"Buffer":    func(in rxcql.Stream[event]) rxcql.Stream[event] { return operators.Buffer(in, 5, rxcql.OverflowBlock) },
			"Lanes":     func(in rxcql.Stream[event]) rxcql.Stream[event] { return laned(in) },
			"Retry":     func(in rxcql.Stream[event]) rxcql.Stream[event] { return operators.Retry(in) },
			"Merge":     func(in rxcql.Stream[event]) rxcql.Stream[event] { return operators.Merge(in) },
			"StageFail": nil,
		} {
			t.Run(name+where, func(t *testing.T) {
				writesAllInTheNextRun(t, func(wrong bool) (rxcql.Stream[event], func(rxcql.Sink[event]) rxcql.Sink[event]) {
					in := inTurn(100, source.PageRows(10))
					if put != nil {
						in = put(in)
					}
					if wrong {
						in = failsAtPage(in, 5, func(st *rxcql.Stage, _ context.Context) error {
							if err := says(st.End()); put != nil {
								return err
							} else {
								return st.Fail(err)
							}
						})
					}
					return in, noOther
				})
			})
		}
	}
}

// notOnly wraps no error, though it could.
type notOnly struct{ error }

func (*notOnly) Unwrap() []error { return nil }

func noOther(to rxcql.Sink[event]) rxcql.Sink[event] { return to }

func laned(in rxcql.Stream[event]) rxcql.Stream[event] {
	return operators.Lanes(in, 2, func(e event) int64 { return e.P }, func(s rxcql.Stream[event]) rxcql.Stream[event] {
		return operators.Map(s, func(e event) (event, error) { return e, nil })
	})
}

// writesAllInTheNextRun runs a job that must fail, and then without the fault.
func writesAllInTheNextRun(t *testing.T, job func(wrong bool) (rxcql.Stream[event], func(rxcql.Sink[event]) rxcql.Sink[event])) {
	t.Helper()
	store, written := &jobtest.Store{}, map[int64]bool{}
	for _, wrong := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			in, around := job(wrong)
			to := around(sink.Each(func(_ context.Context, e event) error { written[e.P] = true; return nil }, sink.Idempotent()))
			rep, err := rxcql.Run(t.Context(), in, to, rxcql.WithCheckpoint(store, "job"))
			require.Zero(t, rep.BytesInFlight)
			if wrong {
				require.Error(t, err)
				require.False(t, flow.IsEnd(err))
				return
			}
			require.NoError(t, err)
			require.True(t, rep.Complete)
		})
	}
	require.Len(t, written, 100)
}

// An End that is wrapped is that End. A stage may wrap all errors that it gets.
func TestAnEndMayBeWrapped(t *testing.T) {
	wraps := func(in rxcql.Stream[event], call func(error) error) rxcql.Stream[event] {
		return rxcql.Lift(in, rxcql.StageInfo{Name: "Wraps"}, func(st *rxcql.Stage, out flow.Observer[event]) flow.Observer[event] {
			return wrapping{out, func(err error) error {
				if err == nil {
					return nil
				}
				return st.Fail(call(err))
			}}
		})
	}
	own := func(err error) error { return fmt.Errorf("in my operator: %w", err) }
	for name, of := range map[string]struct {
		in rxcql.Stream[event]
		by string
	}{
		"its own":         {failsAtPage(inTurn(100, source.PageRows(10)), 5, func(st *rxcql.Stage, _ context.Context) error { return own(st.End()) }), "Asks"},
		"of what follows": {operators.Take(wraps(inTurn(100, source.PageRows(10)), own), 45), "Take"},
		"joined":          {operators.Take(wraps(inTurn(100, source.PageRows(10)), func(err error) error { return errors.Join(err, own(err)) }), 45), "Take"},
		"behind Merge": {operators.TakeWhile(operators.Merge(wraps(inTurn(100, source.PageRows(10)), own), wraps(inTurn(100, source.PageRows(10)), own)),
			func(e event) bool { return e.P < 45 }), "TakeWhile"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				rep, err := rxcql.Run(t.Context(), of.in, sink.Each(func(context.Context, event) error { return nil }))
				require.NoError(t, err)
				require.Equal(t, of.by, rep.EndedBy)
			})
		})
	}
}

// wrapping is a stage that calls a function with what Next returns.
type wrapping struct {
	flow.Observer[event]
	call func(error) error
}

func (o wrapping) Next(ctx context.Context, p *flow.Page[event]) error {
	return o.call(o.Observer.Next(ctx, p))
}

// endingSink is a sink of a user's that takes the end of a stage for that of a sink.
type endingSink struct {
	rxcql.Sink[event]
	rxcql.Writer[event]
	st    *rxcql.Stage
	pages int
}

func (s *endingSink) Info() rxcql.SinkInfo        { return rxcql.SinkInfo{Stages: []string{"Ending"}} }
func (s *endingSink) Check(context.Context) error { return nil }

func (s *endingSink) Open(_ context.Context, r *rxcql.Execution) (rxcql.Writer[event], error) {
	s.st = r.SinkStage("Ending")
	return s, nil
}

func (s *endingSink) Write(context.Context, *flow.Page[event]) error {
	if s.pages++; s.pages < 5 {
		return nil
	}
	return s.st.End()
}

func (s *endingSink) Flush(context.Context) error { return nil }
func (s *endingSink) Close() error                { return nil }

// A sink cannot end a stream on purpose: the pages that it does not take would count as written.
func TestASinkCannotEndAStream(t *testing.T) {
	for name, around := range map[string]func(to rxcql.Sink[event]) rxcql.Sink[event]{
		"": noOther,
		"Tee": func(to rxcql.Sink[event]) rxcql.Sink[event] {
			return sink.Tee(to, sink.Each(func(context.Context, event) error { return nil }, sink.Idempotent()))
		},
		"Route": func(to rxcql.Sink[event]) rxcql.Sink[event] { return sink.Route(func(event) int { return 0 }, to) },
		"Through": func(to rxcql.Sink[event]) rxcql.Sink[event] {
			return sink.Through(func(s rxcql.Stream[event]) rxcql.Stream[event] { return s }, to)
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, merged := range []bool{false, true} {
				writesAllInTheNextRun(t, func(wrong bool) (rxcql.Stream[event], func(rxcql.Sink[event]) rxcql.Sink[event]) {
					in := inTurn(100, source.PageRows(10))
					if merged {
						in = operators.Merge(in)
					}
					return in, func(to rxcql.Sink[event]) rxcql.Sink[event] {
						if wrong {
							return around(&endingSink{})
						}
						return around(to)
					}
				})
			}
		})
	}
}

// A stage waits for something in the context of a page when another one ends the stream. What it
// returns then may be the bare error of the context.
func TestAStageThatWaitsMayReturnTheErrorOfItsContext(t *testing.T) {
	for name, waits := range map[string]func(ctx context.Context) error{
		"its cause": func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) },
		"its error": func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"wrapped":   func(ctx context.Context) error { <-ctx.Done(); return fmt.Errorf("asking: %w", ctx.Err()) },
		"a stream": func(ctx context.Context) error {
			_, err := source.Chan(make(chan int)).Collect(ctx)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				waiting := failsAtPage(eventsFrom("b", 1000, 10), 5, func(_ *rxcql.Stage, ctx context.Context) error { return waits(ctx) })
				in := operators.TakeWhile(operators.Merge(eventsFrom("a", 0, 10), waiting), func(e event) bool {
					time.Sleep(time.Second) // so that the other input waits by then
					return e.P != 150
				})
				rep, err := rxcql.Run(t.Context(), in, sink.Each(func(context.Context, event) error { return nil }))
				require.NoError(t, err)
				require.Zero(t, rep.BytesInFlight)
				require.Equal(t, "TakeWhile", rep.EndedBy)
			})
		})
	}
}
