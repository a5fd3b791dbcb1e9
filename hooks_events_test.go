package rxcql_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
)

// everything is a run in which each event happens.
func everything(t *testing.T, ctx context.Context, opts ...rxcql.Option) (rxcql.Report, error) { //nolint:revive // t comes first in tests
	t.Helper()
	return everythingOf(t, opts...).Run(ctx)
}

// everythingOf is the pipeline of everything.
func everythingOf(t *testing.T, opts ...rxcql.Option) *rxcql.Pipeline {
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
		if len(p.Rows) == 0 {
			return nil
		}
		_, end := st.StartWrite(ctx, rxcql.WriteEvent{Rows: 1})
		end(rxcql.WriteEvent{Rows: 1})
		st.LimitChanged(2, 4, errTest)
		st.CountRetry(errTest)
		st.CountOverflowed(1, rxcql.OverflowDropOldest)
		st.CountLate(1)
		return st.RowFailed(ctx, p.Reservation, rxcql.FailedRow{Position: p.Position, Row: 7, Err: fmt.Errorf("value %q", canary), Users: true})
	}
	broken := rxcql.NewStream(rxcql.StageInfo{Name: "Broken"}, func(_ context.Context, st *rxcql.Stage, _ flow.Observer[int]) error {
		return st.FailUserFunc(fmt.Errorf("value %q", canary), nil)
	})
	own := in
	in = rxcql.NewStream(rxcql.StageInfo{Name: "Leaves"}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
		broken.Attempt(ctx, st, out).Leave(ctx)
		return own.Subscribe(ctx, st, out)
	}, broken, own)
	return pipeline(t, in, rxcql.Sink[int](to), append(opts, rxcql.WithCheckpoint(&jobtest.Store{}, "job"),
		rxcql.WithRowErrors(rxcql.SkipRows(5)), rxcql.WithBudget(rxcql.MinBudgetPerInput))...)
}

// counting counts events.
type counting struct {
	mu    sync.Mutex
	heard map[string]int
}

func (c *counting) hooks() rxcql.Hooks {
	return everyHook(func(_ context.Context, name string, _ any) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.heard == nil {
			c.heard = map[string]int{}
		}
		c.heard[name]++
	})
}

// inPairs requires that what has begun has ended.
func (c *counting) inPairs(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, of := range []string{"Run", "Fetch", "Write", "Save"} {
		require.Equal(t, c.heard[of+"Start"], c.heard[of+"End"], of)
	}
}

// told has all that hooks are told, printed as loggers would.
type told struct {
	counting
	text   strings.Builder
	events map[string][]any
}

func (a *told) option() rxcql.Option {
	text, json := slog.New(slog.NewTextHandler(&a.text, nil)), slog.New(slog.NewJSONHandler(&a.text, nil))
	prints := everyHook(func(_ context.Context, name string, e any) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.events == nil {
			a.events = map[string][]any{}
		}
		a.events[name] = append(a.events[name], e)
		text.Info(name, "event", e)
		json.Info(name, "event", e)
		fmt.Fprintf(&a.text, "%v %+v\n", e, e)
	})
	return rxcql.WithHooks(a.hooks(), prints)
}

// errorOf is the error in the only event of that name that has one.
func errorOf[E any](t *testing.T, a *told, name string, of func(E) error) (err error) {
	t.Helper()
	for _, e := range a.events[name] {
		if failed := of(e.(E)); failed != nil {
			require.NoError(t, err)
			err = failed
		}
	}
	require.Error(t, err, name)
	return err
}

func TestNoEventHasAValue(t *testing.T) {
	alone(t, "", func(t *testing.T) {
		var all told
		rep, err := everything(t, t.Context(), all.option())
		require.NoError(t, err)
		require.Equal(t, "Leaves", rep.EndedBy)
		for _, name := range hookNames() {
			require.NotZero(t, all.heard[name], name)
		}
		all.inPairs(t)
		wait := all.events["BudgetWait"][0].(rxcql.BudgetEvent)
		require.Positive(t, wait.Bytes)
		require.Equal(t, rxcql.BudgetEvent{Stage: "Own", Bytes: wait.Bytes, Wait: time.Second}, wait)
		require.NotContains(t, all.text.String(), canary)
	})
}

// TestNoEventHasAValueWhenTheRunFails has a row fail while everything else is under way: why a
// context ended is then an error with the user's words.
func TestNoEventHasAValueWhenTheRunFails(t *testing.T) {
	secret := fmt.Errorf("row %q: %w", canary, errTest)
	source := func(name string, run func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error) rxcql.Stream[int] {
		return rxcql.NewStream(rxcql.StageInfo{Name: name, Source: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
			if done, _, err := st.Resume(rxcql.Identity{}); err != nil || len(done) > 0 {
				return err
			}
			return run(ctx, st, out)
		})
	}
	fails := source("Fails", func(_ context.Context, st *rxcql.Stage, _ flow.Observer[int]) error {
		time.Sleep(5 * time.Second / 2)
		err := st.FailUserFunc(secret, nil)
		st.Run().Fail(err)
		return err
	})
	fetches := source("Fetches", func(ctx context.Context, st *rxcql.Stage, _ flow.Observer[int]) error {
		ctx, end := st.StartFetch(ctx, rxcql.FetchEvent{})
		<-ctx.Done()
		end(rxcql.FetchEvent{Err: fmt.Errorf("given up: %w", context.Cause(ctx))})
		return context.Cause(ctx)
	})
	waits := source("Waits", func(ctx context.Context, st *rxcql.Stage, _ flow.Observer[int]) error {
		first, err := st.Input().Reserve(ctx, 1<<30)
		if err != nil {
			return err
		}
		defer first.Release()
		first.Resize(1 << 30)
		_, err = st.Input().Reserve(ctx, 1<<30)
		return err
	})
	asks := source("Asks", func(ctx context.Context, st *rxcql.Stage, _ flow.Observer[int]) error {
		return st.RetryUserFunc(ctx, secret, func(error) bool { return true }, func(int) error {
			<-ctx.Done()
			return context.Cause(ctx)
		})
	})
	alone(t, "", func(t *testing.T) {
		to := &resuming{}
		var work *rxcql.TaskGroup
		to.open = func(ctx context.Context, st *rxcql.Stage) error {
			work, ctx = st.TaskGroup(ctx)
			work.Go(func() error {
				ctx, end := st.StartWrite(ctx, rxcql.WriteEvent{})
				<-st.Run().Context().Done()
				end(rxcql.WriteEvent{Err: context.Cause(st.Run().Context())}) //nolint:contextcheck // its own has not ended
				return ctx.Err()
			})
			return nil
		}
		to.close = func() error { return work.Wait() }
		store := &jobtest.Store{FailSave: func(n int) error {
			if n > 2 { // the last one, in the midst of a failure
				return secret
			}
			return nil
		}}
		var all told
		_, err := rxcql.Run(t.Context(), operators.Merge(fails, fetches, waits, asks), rxcql.Sink[int](to), all.option(),
			rxcql.WithCheckpoint(store, "job"), rxcql.WithBudget(4*rxcql.MinBudgetPerInput))
		require.ErrorIs(t, err, errTest)
		require.ErrorContains(t, err, canary, "the user's own words come back to the user")
		require.NotContains(t, all.text.String(), canary)
		all.inPairs(t)
		for _, err := range []error{
			errorOf(t, &all, "FetchEnd", func(e rxcql.FetchEvent) error { return e.Err }),
			errorOf(t, &all, "WriteEnd", func(e rxcql.WriteEvent) error { return e.Err }),
			errorOf(t, &all, "BudgetWait", func(e rxcql.BudgetEvent) error { return e.Err }),
			errorOf(t, &all, "Retry", func(e rxcql.RetryEvent) error { return e.Err }),
			errorOf(t, &all, "RunEnd", func(e rxcql.RunEvent) error { return e.Err }),
		} {
			require.ErrorIs(t, err, errTest, "the error itself is there to be asked")
		}
		require.Equal(t, "cancelled", all.events["FetchEnd"][0].(rxcql.FetchEvent).ErrorType)
	})
}
