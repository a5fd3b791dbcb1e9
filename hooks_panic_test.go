package rxcql_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
)

func TestAPanicInAHookEndsTheRunWithItsStack(t *testing.T) {
	all := everyHook(func(context.Context, string, any) { panic("hook") })
	for _, name := range hookNames() {
		alone(t, name, func(t *testing.T) {
			rep, err := everything(t, t.Context(), rxcql.WithHooks(only(name, all)))
			require.ErrorIs(t, err, rxcql.ErrPanic)
			var failed *rxcql.StageError
			require.ErrorAs(t, err, &failed)
			require.Contains(t, string(failed.Stack), "hooks_test.go")
			require.False(t, rep.Complete)
			require.Zero(t, rep.BytesInFlight)
		})
	}
}

// Others are told all the same, and an operation that one was told of ends for it.
func TestAPanicInAHookIsNoMatterOfOtherHooks(t *testing.T) {
	panics := everyHook(func(context.Context, string, any) { panic("hook") })
	for _, name := range hookNames() {
		alone(t, name, func(t *testing.T) {
			var outer, inner counting
			_, err := everything(t, t.Context(), rxcql.WithHooks(outer.hooks(), only(name, panics), inner.hooks()))
			require.ErrorIs(t, err, rxcql.ErrPanic)
			require.Equal(t, outer.heard, inner.heard)
			require.NotZero(t, outer.heard[name])
			outer.inPairs(t)
		})
	}
}

func TestHooksMayAskForProgressAndStop(t *testing.T) {
	alone(t, "", func(t *testing.T) {
		var p *rxcql.Pipeline
		var asked atomic.Int64
		p = everythingOf(t, rxcql.WithHooks(everyHook(func(context.Context, string, any) {
			if asked.Add(1); p.Progress().Budget == 0 {
				t.Error("there is no budget")
			}
			p.Stop()
		})))
		rep, err := p.Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, rxcql.EndedByStop, rep.EndedBy)
		require.Greater(t, asked.Load(), int64(len(hookNames())))
	})
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
