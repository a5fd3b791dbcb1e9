package rxcql_test

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/source"
)

// tally counts what hooks are told.
type tally struct {
	mu                                       sync.Mutex
	pages, empty, rows, bytes, written, retr int64
	retries                                  []rxcql.RetryEvent
	stages                                   map[string]bool
}

func (c *tally) note(stage string, fn func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stages == nil {
		c.stages = map[string]bool{}
	}
	c.stages[stage] = true
	fn()
}

func (c *tally) hooks() rxcql.Hooks {
	return rxcql.Hooks{
		PageRead: func(_ context.Context, e rxcql.PageEvent) {
			c.note(e.Stage, func() {
				c.pages++
				c.rows += int64(e.Rows)
				c.bytes += e.Bytes
				if e.Rows == 0 {
					c.empty++
				}
			})
		},
		RowsWritten: func(_ context.Context, e rxcql.WrittenEvent) {
			c.note(e.Stage, func() { c.written += int64(e.Rows) })
		},
		Retry: func(_ context.Context, e rxcql.RetryEvent) {
			c.note(e.Stage, func() {
				c.retr++
				c.retries = append(c.retries, e)
			})
		},
	}
}

// pagesOnly listens to one event.
type pagesOnly struct{ n int }

func (p *pagesOnly) hooks() rxcql.Hooks {
	return rxcql.Hooks{PageRead: func(context.Context, rxcql.PageEvent) { p.n++ }}
}

func TestHooksCountWhatTheReportCounts(t *testing.T) {
	c, one := &tally{}, &pagesOnly{}
	to := &memory[int]{open: func(_ context.Context, st *rxcql.Stage) error {
		st.CountRetry(errTest)
		st.CountDropped(2)
		return nil
	}}
	rep, err := pipeline(t, seq(100), to, rxcql.WithHooks(c.hooks()), rxcql.WithHooks(one.hooks())).Run(context.Background())
	require.NoError(t, err)
	require.Equal(t, []int64{rep.Pages, rep.EmptyPages, rep.ReadRows, rep.ReadBytes, rep.Written, rep.Retried},
		[]int64{c.pages, c.empty, c.rows, c.bytes, c.written, c.retr})
	require.EqualValues(t, rep.Pages, one.n)
	require.EqualValues(t, 2, rep.Filtered)
	require.Equal(t, map[string]bool{"Seq": true, "Memory": true}, c.stages)
	require.EqualValues(t, []int64{100, 100, 1}, []int64{rep.ReadRows, rep.Written, rep.Retried})
	require.Equal(t, []rxcql.RetryEvent{{Stage: "Memory", Err: errTest, ErrorType: "other"}}, c.retries)
}

func TestHooksWithoutAFunctionAreRefused(t *testing.T) {
	_, err := rxcql.New(seq(1), &memory[int]{}, rxcql.WithHooks((&tally{}).hooks(), rxcql.Hooks{}))
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.ErrorContains(t, err, "WithHooks: argument 2 has no function")
}

// layer adds its name to the contexts that it is asked about, and notes in which one each
// of its End functions is called.
type layer struct {
	name  string
	notes *[]string
}

type layersKey struct{}

func layersOf(ctx context.Context) string {
	names, _ := ctx.Value(layersKey{}).(string)
	return names
}

func (l layer) hooks() rxcql.Hooks {
	return rxcql.Hooks{
		RunStart: func(ctx context.Context, e rxcql.RunEvent) context.Context {
			*l.notes = append(*l.notes, fmt.Sprintf("%s starts %v %v", l.name, e.Sources, e.Sinks))
			return context.WithValue(ctx, layersKey{}, layersOf(ctx)+l.name)
		},
		RunEnd: func(ctx context.Context, _ rxcql.RunEvent) {
			*l.notes = append(*l.notes, l.name+" ends in "+layersOf(ctx))
		},
	}
}

func TestTheWholeRunIsUnderTheContextThatItsHooksReturn(t *testing.T) {
	var notes []string
	seen := map[string]string{}
	in := rxcql.NewStream(rxcql.StageInfo{Name: "Own", Source: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
		seen["source"], seen["run"] = layersOf(ctx), layersOf(st.Run().Context()) //nolint:contextcheck // it is the run's that is looked at
		return out.Done(ctx, false)
	})
	to := &memory[int]{open: func(ctx context.Context, _ *rxcql.Stage) error {
		seen["sink"] = layersOf(ctx)
		return nil
	}}
	nothing := rxcql.Hooks{RunStart: func(context.Context, rxcql.RunEvent) context.Context { return nil }} //nolint:nilnil // stands for the context given
	_, err := pipeline(t, in, to, rxcql.WithHooks(layer{"a", &notes}.hooks(), nothing, layer{"b", &notes}.hooks())).Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, map[string]string{"source": "ab", "run": "ab", "sink": "ab"}, seen)
	require.Equal(t, []string{"a starts [Own] [*rxcql_test.memory[int]]", "b starts [Own] [*rxcql_test.memory[int]]", "b ends in ab", "a ends in a"}, notes,
		"each end has the context of its own start, and the last start ends first")
}

func TestTheEndOfARunIsToldOnceHoweverItEnds(t *testing.T) {
	var ends []rxcql.RunEvent
	hooks := rxcql.WithHooks(rxcql.Hooks{RunEnd: func(_ context.Context, e rxcql.RunEvent) { ends = append(ends, e) }})
	last := func(t *testing.T) rxcql.RunEvent {
		t.Helper()
		require.Len(t, ends, 1)
		e := ends[0]
		ends = nil
		return e
	}

	rep, err := pipeline(t, seq(100), &memory[int]{}, hooks).Run(t.Context())
	require.NoError(t, err)
	e := last(t)
	require.Equal(t, rep, e.Report)
	require.Equal(t, []any{rep.Duration, rep.Started, error(nil), ""}, []any{e.Duration, e.Start, e.Err, e.ErrorType})

	for range seq(100).All(t.Context(), hooks) {
		break
	}
	require.NoError(t, last(t).Err, "a loop that was left")

	_, err = seq(100).Collect(t.Context(), hooks)
	require.NoError(t, err)
	require.True(t, last(t).Report.Complete)

	secret := fmt.Errorf("row %q: %w", canary, errTest)
	to := &memory[int]{write: func(context.Context, *flow.Page[int]) error { return nil }}
	in := mapped(seq(100), func(n int) int { return n })
	failing := rxcql.Lift(in, rxcql.StageInfo{Name: "Fails"}, func(st *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
		return op[int, int]{done: out.Done, next: func(context.Context, *flow.Page[int]) error { return st.FailUserFunc(secret, nil) }}
	})
	_, err = pipeline(t, failing, to, hooks).Run(t.Context())
	require.ErrorContains(t, err, canary, "the user's own words come back to the user")
	e = last(t)
	require.ErrorIs(t, e.Err, errTest)
	require.NotContains(t, e.Err.Error(), canary)
	require.Equal(t, "other", e.ErrorType)

	_, err = pipeline(t, seq(1), &memory[int]{check: func() error { return errTest }}, hooks).Run(t.Context())
	require.ErrorIs(t, err, errTest)
	require.ErrorIs(t, last(t).Err, errTest)
}

// broken are hooks of which one panics.
func broken() map[string]rxcql.Hooks {
	return map[string]rxcql.Hooks{
		"RunStart": {RunStart: func(context.Context, rxcql.RunEvent) context.Context { panic("hook") }},
		"RunEnd":   {RunEnd: func(context.Context, rxcql.RunEvent) { panic("hook") }},
		"FetchStart": {FetchStart: func(context.Context, rxcql.FetchEvent) context.Context {
			panic("hook")
		}},
		"FetchEnd":   {FetchEnd: func(context.Context, rxcql.FetchEvent) { panic("hook") }},
		"WriteStart": {WriteStart: func(context.Context, rxcql.WriteEvent) context.Context { panic("hook") }},
		"WriteEnd":   {WriteEnd: func(context.Context, rxcql.WriteEvent) { panic("hook") }},
		"SaveStart":  {SaveStart: func(context.Context, rxcql.SaveEvent) context.Context { panic("hook") }},
		"SaveEnd":    {SaveEnd: func(context.Context, rxcql.SaveEvent) { panic("hook") }},
		"PageRead":   {PageRead: func(context.Context, rxcql.PageEvent) { panic("hook") }},
		"RowsWritten": {RowsWritten: func(context.Context, rxcql.WrittenEvent) {
			panic("hook")
		}},
		"Retry":         {Retry: func(context.Context, rxcql.RetryEvent) { panic("hook") }},
		"InFlightLimit": {InFlightLimit: func(context.Context, rxcql.LimitEvent) { panic("hook") }},
		"BudgetWait":    {BudgetWait: func(context.Context, rxcql.BudgetEvent) { panic("hook") }},
		"RowFailed":     {RowFailed: func(context.Context, rxcql.RowFailedEvent) { panic("hook") }},
	}
}

// everything is a run in which each event happens.
func everything(t *testing.T, ctx context.Context, opts ...rxcql.Option) (rxcql.Report, error) { //nolint:revive // t comes first in tests
	t.Helper()
	in := rxcql.NewStream(rxcql.StageInfo{Name: "Own", Source: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
		done, _, err := st.Resume(rxcql.Identity{})
		if err != nil || len(done) > 0 {
			return err
		}
		track := st.Track(flow.WholeRange)
		fetchCtx, end := st.StartFetch(ctx, rxcql.FetchEvent{Part: "all"})
		end(rxcql.FetchEvent{Part: "all", Rows: 1, Bytes: 4, Err: fetchCtx.Err()})
		var reservations []*flow.Reservation
		for range 2 { // the second has room when the first is gone
			if len(reservations) > 0 {
				first := reservations[0]
				time.AfterFunc(time.Second, first.Release)
			}
			reservation, err := st.Input().Reserve(ctx, 1<<30)
			if err != nil {
				return err
			}
			reservation.Resize(rxcql.MinBudgetPerInput)
			reservations = append(reservations, reservation)
		}
		p := &flow.Page[int]{Rows: []int{1}, Reservation: reservations[1]}
		p.Last = true
		if err := flow.Deliver(ctx, track, p, 4, nil, out); err != nil {
			return err
		}
		return out.Done(ctx, false)
	})
	var st *rxcql.Stage
	to := &resuming{}
	to.open = func(_ context.Context, opened *rxcql.Stage) error {
		st = opened
		return nil
	}
	to.write = func(ctx context.Context, p *flow.Page[int]) error {
		_, end := st.StartWrite(ctx, rxcql.WriteEvent{Rows: 1})
		end(rxcql.WriteEvent{Rows: 1})
		st.LimitChanged(2, 4, errTest)
		st.CountRetry(errTest)
		return st.RowFailed(ctx, p.Reservation, rxcql.FailedRow{Position: p.Position, Row: 7, Err: fmt.Errorf("value %q", canary), Users: true})
	}
	return pipeline(t, in, rxcql.Sink[int](to), append(opts, rxcql.WithCheckpoint(&jobtest.Store{}, "job"),
		rxcql.WithRowErrors(rxcql.SkipRows(5)), rxcql.WithBudget(rxcql.MinBudgetPerInput))...).Run(ctx)
}

func TestAPanicInAHookEndsTheRunWithItsStack(t *testing.T) {
	for name, hooks := range broken() {
		alone(t, name, func(t *testing.T) {
			rep, err := everything(t, t.Context(), rxcql.WithHooks(hooks))
			require.ErrorIs(t, err, rxcql.ErrPanic)
			var failed *rxcql.StageError
			require.ErrorAs(t, err, &failed)
			require.Contains(t, string(failed.Stack), "hooks_test.go")
			require.False(t, rep.Complete)
			require.Zero(t, rep.BytesInFlight)
		})
	}
}

func TestAHookThatEndsItsGoroutineFailsTheRun(t *testing.T) {
	alone(t, "in a goroutine of the engine", func(t *testing.T) {
		in := rxcql.NewStream(rxcql.StageInfo{Name: "Own", Source: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
			if _, _, err := st.Resume(rxcql.Identity{}); err != nil {
				return err
			}
			track := st.Track(flow.WholeRange)
			for ctx.Err() == nil {
				time.Sleep(time.Second)
				reservation, err := st.Input().Reserve(ctx, 1)
				if err != nil {
					return err
				}
				if err := flow.Deliver(ctx, track, &flow.Page[int]{Reservation: reservation}, 0, []byte{1}, out); err != nil {
					return err
				}
			}
			return context.Cause(ctx)
		})
		store := &jobtest.Store{}
		saves := 0
		_, err := pipeline(t, in, rxcql.Sink[int](&resuming{}), rxcql.WithCheckpoint(store, "job"), rxcql.WithHooks(rxcql.Hooks{
			SaveEnd: func(context.Context, rxcql.SaveEvent) {
				if saves++; saves == 2 { // the first one is made by the goroutine that runs the pipeline
					runtime.Goexit()
				}
			},
		})).Run(t.Context())
		require.ErrorContains(t, err, "Goexit")
	})
}

// TestNoEventHasAValue looks at all that hooks are told, printed as a logger would.
func TestNoEventHasAValue(t *testing.T) {
	alone(t, "", func(t *testing.T) {
		var mu sync.Mutex
		var all strings.Builder
		heard := map[string]int{}
		log := slog.New(slog.NewTextHandler(&all, nil))
		note := func(name string, e any) {
			mu.Lock()
			defer mu.Unlock()
			heard[name]++
			log.Info(name, "event", e)
			fmt.Fprintf(&all, "%+v\n", e)
		}
		rep, err := everything(t, t.Context(), rxcql.WithHooks(rxcql.Hooks{
			RunStart:   func(ctx context.Context, e rxcql.RunEvent) context.Context { note("RunStart", e); return ctx },
			RunEnd:     func(_ context.Context, e rxcql.RunEvent) { note("RunEnd", e) },
			FetchStart: func(ctx context.Context, e rxcql.FetchEvent) context.Context { note("FetchStart", e); return ctx },
			FetchEnd:   func(_ context.Context, e rxcql.FetchEvent) { note("FetchEnd", e) },
			WriteStart: func(ctx context.Context, e rxcql.WriteEvent) context.Context { note("WriteStart", e); return ctx },
			WriteEnd:   func(_ context.Context, e rxcql.WriteEvent) { note("WriteEnd", e) },
			SaveStart:  func(ctx context.Context, e rxcql.SaveEvent) context.Context { note("SaveStart", e); return ctx },
			SaveEnd:    func(_ context.Context, e rxcql.SaveEvent) { note("SaveEnd", e) },
			PageRead:   func(_ context.Context, e rxcql.PageEvent) { note("PageRead", e) },
			RowsWritten: func(_ context.Context, e rxcql.WrittenEvent) {
				note("RowsWritten", e)
			},
			Retry:         func(_ context.Context, e rxcql.RetryEvent) { note("Retry", e) },
			InFlightLimit: func(_ context.Context, e rxcql.LimitEvent) { note("InFlightLimit", e) },
			BudgetWait: func(_ context.Context, e rxcql.BudgetEvent) {
				note("BudgetWait", e)
				require.Equal(t, rxcql.BudgetEvent{Stage: "Own", Bytes: e.Bytes, Wait: time.Second}, e)
				require.Positive(t, e.Bytes)
			},
			RowFailed: func(_ context.Context, e rxcql.RowFailedEvent) { note("RowFailed", e) },
		}))
		require.NoError(t, err)
		require.True(t, rep.Complete)
		require.Len(t, heard, len(broken()), "each event happens: %v", heard)
		require.NotContains(t, all.String(), canary)
	})
}

func TestASaveIsToldWithItsPositions(t *testing.T) {
	var saves []rxcql.SaveEvent
	store := &jobtest.Store{}
	hooks := rxcql.WithHooks(rxcql.Hooks{SaveEnd: func(_ context.Context, e rxcql.SaveEvent) { saves = append(saves, e) }})
	in := source.SeqFrom("numbers", func(from int64) iter.Seq2[int, error] { return numbers(30, nil) }, source.PageRows(10))
	_, err := pipeline(t, in, rxcql.Sink[int](&resuming{}), rxcql.WithCheckpoint(store, "job"), hooks).Run(t.Context())
	require.NoError(t, err)
	last := saves[len(saves)-1]
	require.Positive(t, last.Bytes)
	require.NoError(t, last.Err)
	require.Equal(t, "job", last.Job)
	require.Equal(t, []rxcql.SourcePosition{{Stage: "Seq", RangesDone: 1, Rows: 30}}, last.Sources)
}
