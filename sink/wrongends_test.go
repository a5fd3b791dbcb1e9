package sink_test

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"runtime"
	"strings"
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

// eventsFrom is a source of 200 rows whose keys begin at base.
func eventsFrom(name string, base int64, pageRows int) rxcql.Stream[event] {
	return source.SeqFrom(name, func(from int64) iter.Seq2[event, error] {
		return func(yield func(event, error) bool) {
			for i := from; i < 200 && yield(event{P: base + i}, nil); i++ {
			}
		}
	}, source.PageRows(pageRows))
}

// A stage ends its stream by the context of a page, and the run fails. A page of the other input
// waited behind that page, and was dropped on purpose: nothing of that is saved, also not before it
// is known that the end is none.
func TestAWrongEndSavesNoPageOfAnotherInput(t *testing.T) {
	for _, every := range []time.Duration{time.Hour, 10 * time.Millisecond} {
		for kind, through := range map[string]bool{"": false, "through": true, "exits": false} {
			t.Run(fmt.Sprint(every, kind), func(t *testing.T) {
				store, written := &jobtest.Store{}, map[int64]bool{}
				exits := kind == "exits"
				to := sink.Each(func(_ context.Context, e event) error {
					time.Sleep(time.Second / 5)
					if exits && len(written) == 45 { // the stream ends meanwhile
						exits = false
						time.Sleep(2 * time.Second)
						runtime.Goexit()
					}
					written[e.P] = true
					return nil
				}, sink.Idempotent())
				pageRows := 100
				if through { // it ends with that context, though this page is done
					pageRows = 1
					to = sink.Through(func(s rxcql.Stream[event]) rxcql.Stream[event] { return operators.Map(s, widened) }, to)
				}
				run := func(t *testing.T, quitsAfter time.Duration) (rxcql.Report, error) {
					in := quits(operators.Merge(eventsFrom("a", 0, pageRows), eventsFrom("b", 1000, pageRows)), quitsAfter, true)
					return rxcql.Run(t.Context(), in, to, rxcql.WithCheckpoint(store, "job", rxcql.CheckpointInterval(every)))
				}
				synctest.Test(t, func(t *testing.T) {
					ended := make(chan error, 1)
					go func() {
						defer close(ended)
						_, err := run(t, 10*time.Second+time.Millisecond)
						ended <- err
					}()
					if err, returned := <-ended; kind == "exits" {
						require.False(t, returned)
					} else {
						require.ErrorContains(t, err, "stage Quits")
					}
				})
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(time.Hour) // each bubble begins at the same time
					rep, err := run(t, time.Hour)
					require.NoError(t, err)
					require.True(t, rep.Complete)
				})
				require.Equal(t, 400, len(written)) //nolint:testifylint // Len prints them all
			})
		}
	}
}

// endsWithPage ends its stream when the first page has been taken.
type endsWithPage[T any] struct {
	flow.Observer[T]
	st *rxcql.Stage
}

func (o *endsWithPage[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	err := o.Observer.Next(ctx, p)
	if err == nil {
		err = o.Done(ctx, false)
	}
	if err == nil {
		err = o.st.End()
	}
	return err
}

// A job goes on saving when a stage in it has ended its stream and its last page is
// written.
func TestAJobSavesOnAfterAStageHasEndedItsStream(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &jobtest.Store{}
		ends := rxcql.Lift(eventsFrom("a", 0, 100), rxcql.StageInfo{Name: "Ends"}, func(st *rxcql.Stage, out flow.Observer[event]) flow.Observer[event] {
			return &endsWithPage[event]{out, st}
		})
		in := operators.Concat(ends, eventsFrom("b", 1000, 100))
		_, err := rxcql.Run(t.Context(), in, sink.Each(func(_ context.Context, e event) error {
			time.Sleep(time.Second)
			if e.P == 1150 {
				state, err := store.State("job")
				require.NoError(t, err)
				for _, src := range state.Sources {
					require.Equal(t, int64(1), src.Parts[0].Pages, "%+v", src)
				}
			}
			return nil
		}, sink.Idempotent()), rxcql.WithCheckpoint(store, "job", rxcql.CheckpointInterval(time.Second)))
		require.NoError(t, err)
	})
}

// So it does while what is before that stage still works: only what the stage has handed on counts.
func TestAJobSavesOnWhileAFunctionBeforeAnEndTakesLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &jobtest.Store{}
		slow := operators.MapConcurrent(eventsFrom("a", 0, 1), 2, func(_ context.Context, e event) (event, error) {
			time.Sleep(time.Hour)
			return e, nil
		})
		written, latest := 0, int64(0)
		in := operators.Merge(quits(slow, time.Minute, false), eventsFrom("b", 1000, 1))
		_, err := rxcql.Run(t.Context(), in, sink.Each(func(context.Context, event) error {
			time.Sleep(10 * time.Second)
			if written++; written > 30 {
				state, err := store.State("job")
				require.NoError(t, err)
				saved := int64(0)
				for _, src := range state.Sources {
					saved += src.Rows
					for _, part := range src.Parts {
						saved += part.Rows
					}
				}
				require.GreaterOrEqual(t, saved, latest)
				latest = saved
			}
			return nil
		}, sink.Idempotent()), rxcql.WithCheckpoint(store, "job", rxcql.CheckpointInterval(time.Second)))
		require.NoError(t, err)
		require.Greater(t, latest, int64(100))
	})
}

// A stage that has ended its stream hands its last page on in the context by which it has ended it.
// It is taken, and what is behind is told of the end: nothing is lost.
func TestWhatAStageHandsOnBehindItsEndIsTaken(t *testing.T) {
	for _, through := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			in := eventsFrom("a", 0, 20)
			ends := rxcql.NewStream(rxcql.StageInfo{Name: "Ends"}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[event]) error {
				inner, cancel := context.WithCancelCause(ctx)
				defer cancel(nil)
				return in.Subscribe(inner, st, &endsBeforeItsPage{out, st, cancel})
			}, in)
			batches := operators.FlatMap(operators.Batch(ends, operators.BatchRows(500)), eachOf)
			written := 0
			to := sink.Each(func(ctx context.Context, _ event) error { written++; return ctx.Err() }, sink.Idempotent())
			if through {
				to = sink.Through(func(s rxcql.Stream[event]) rxcql.Stream[event] { return operators.Map(s, widened) }, to)
			}
			rep, err := rxcql.Run(t.Context(), batches, to)
			require.NoError(t, err)
			require.Equal(t, "Ends", rep.EndedBy)
			require.Equal(t, 40, written)
		})
	}
}

// endsBeforeItsPage ends its stream when it gets the second page, and then hands that on.
type endsBeforeItsPage struct {
	flow.Observer[event]
	st     *rxcql.Stage
	cancel context.CancelCauseFunc
}

func (o *endsBeforeItsPage) Next(ctx context.Context, p *flow.Page[event]) error {
	last := p.Rows[0].P == 20
	if last {
		o.cancel(o.st.End())
	}
	err := o.Observer.Next(ctx, p)
	if err == nil && last {
		if err = o.Done(ctx, false); err == nil {
			err = o.st.End()
		}
	}
	return err
}

// doneLate hands Done on in the context in which it reads, and that context ends on purpose
// meanwhile.
type doneLate[T any] struct {
	flow.Observer[T]
	st     *rxcql.Stage
	cancel context.CancelCauseFunc
}

func (o *doneLate[T]) Done(ctx context.Context, stopped bool) error {
	time.AfterFunc(time.Second, func() { o.cancel(o.st.End()) })
	return o.Observer.Done(ctx, stopped)
}

// However it is said that a stage before has ended its stream, the run fails and names that stage.
func TestAnEndIsNoneWhateverSaysIt(t *testing.T) {
	slow := sink.Each(func(context.Context, event) error { time.Sleep(time.Hour); return nil })
	for name, of := range map[string]struct {
		in func(end *error) rxcql.Stream[event]
		to func(end *error) rxcql.Sink[event]

		pages int64 // that stay unsettled; -1 where requests that have been sent end well
	}{
		"a sink returns it": {
			func(end *error) rxcql.Stream[event] {
				return rxcql.NewStream(rxcql.StageInfo{Name: "Quits"}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[event]) error {
					*end = st.End()
					return eventsFrom("a", 0, 100).Subscribe(ctx, st, out)
				}, eventsFrom("a", 0, 100))
			},
			func(end *error) rxcql.Sink[event] {
				return sink.Each(func(context.Context, event) error { return fmt.Errorf("card 4711: %w", *end) })
			}, 1,
		},
		"Done is on its way": {
			func(*error) rxcql.Stream[event] {
				in := eventsFrom("a", 0, 100)
				return rxcql.NewStream(rxcql.StageInfo{Name: "Quits"}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[event]) error {
					ctx, cancel := context.WithCancelCause(ctx)
					defer cancel(nil)
					return in.Subscribe(ctx, st, &doneLate[event]{out, st, cancel})
				}, in)
			},
			func(*error) rxcql.Sink[event] { return sink.TableOn[event](after(time.Hour), events()) }, -1,
		},
		"a source ends itself": {
			func(*error) rxcql.Stream[event] {
				return rxcql.NewStream(rxcql.StageInfo{Name: "Quits", Source: true, NotResumable: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[event]) error {
					ctx, cancel := context.WithCancelCause(ctx)
					defer cancel(nil)
					time.AfterFunc(time.Second, func() { cancel(st.End()) })
					if _, _, err := st.Resume(rxcql.Identity{}); err != nil {
						return err
					}
					reservation, err := st.Input().Reserve(ctx, 2)
					if err != nil {
						return err
					}
					p := &flow.Page[event]{Rows: []event{{P: 1}, {P: 2}}, Reservation: reservation}
					p.Last = true
					return flow.Deliver(ctx, st.Track(flow.WholeRange), p, 8, nil, out)
				})
			},
			func(*error) rxcql.Sink[event] { return slow }, 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var end error
				var log strings.Builder
				rep, err := rxcql.Run(t.Context(), of.in(&end), of.to(&end), rxcql.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
				require.NotContains(t, log.String(), "4711") // words of a function may be values of rows
				require.ErrorContains(t, err, "stage Quits")
				require.ErrorContains(t, err, "end the stream when Next has returned")
				if of.pages >= 0 {
					require.Equal(t, of.pages, rep.Pages-rep.PagesSettled, "of %d", rep.Pages)
				}
				require.Zero(t, rep.BytesInFlight)
			})
		})
	}
}
