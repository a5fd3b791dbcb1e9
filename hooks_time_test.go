package rxcql_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
)

// Each operation takes a second, and each hook two.
func TestDurationsAreThoseOfTheOperationsAlone(t *testing.T) {
	alone(t, "", func(t *testing.T) {
		starts := map[string]time.Time{}
		got := map[string]time.Duration{}
		ended := func(name string, start time.Time, d time.Duration) {
			require.Equal(t, starts[name], start, name)
			got[name] = d
			time.Sleep(2 * time.Second)
		}
		slow := func(ctx context.Context, name string, start time.Time) context.Context {
			starts[name] = start
			require.Equal(t, time.Now(), start)
			time.Sleep(2 * time.Second)
			return ctx
		}
		second := rxcql.Hooks{ // whose time is not in it either
			FetchStart: func(ctx context.Context, _ rxcql.FetchEvent) context.Context { time.Sleep(2 * time.Second); return ctx },
			WriteStart: func(ctx context.Context, _ rxcql.WriteEvent) context.Context { time.Sleep(2 * time.Second); return ctx },
			SaveEnd:    func(context.Context, rxcql.SaveEvent) { time.Sleep(2 * time.Second) },
		}
		hooks := rxcql.WithHooks(rxcql.Hooks{
			FetchStart: func(ctx context.Context, e rxcql.FetchEvent) context.Context { return slow(ctx, "fetch", e.Start) },
			FetchEnd:   func(_ context.Context, e rxcql.FetchEvent) { ended("fetch", e.Start, e.Duration) },
			WriteStart: func(ctx context.Context, e rxcql.WriteEvent) context.Context { return slow(ctx, "write", e.Start) },
			WriteEnd:   func(_ context.Context, e rxcql.WriteEvent) { ended("write", e.Start, e.Duration) },
			SaveStart:  func(ctx context.Context, e rxcql.SaveEvent) context.Context { return slow(ctx, "save", e.Start) },
			SaveEnd:    func(_ context.Context, e rxcql.SaveEvent) { ended("save", e.Start, e.Duration) },
			RunEnd: func(_ context.Context, e rxcql.RunEvent) {
				require.Equal(t, e.Report.Duration, e.Duration)
				require.Equal(t, time.Since(e.Start), e.Duration)
			},
		}, second)
		in := rxcql.NewStream(rxcql.StageInfo{Name: "Own", Source: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
			if _, _, err := st.Resume(rxcql.Identity{}); err != nil {
				return err
			}
			track := st.Track(flow.WholeRange)
			_, end := st.StartFetch(ctx, rxcql.FetchEvent{Attempt: 1})
			time.Sleep(time.Second)
			end(rxcql.FetchEvent{Attempt: 1})
			reservation, err := st.Input().Reserve(ctx, 1)
			if err != nil {
				return err
			}
			p := &flow.Page[int]{Rows: []int{1}, Reservation: reservation}
			p.Last = true
			if err := flow.Deliver(ctx, track, p, 4, nil, out); err != nil {
				return err
			}
			return out.Done(ctx, false)
		})
		to := &resuming{}
		var st *rxcql.Stage
		to.open = func(_ context.Context, opened *rxcql.Stage) error {
			st = opened
			return nil
		}
		to.write = func(ctx context.Context, _ *flow.Page[int]) error {
			_, end := st.StartWrite(ctx, rxcql.WriteEvent{Attempt: 1})
			time.Sleep(time.Second)
			end(rxcql.WriteEvent{Attempt: 1})
			return nil
		}
		store := &jobtest.Store{FailSave: func(int) error {
			time.Sleep(time.Second)
			return nil
		}}
		_, err := pipeline(t, in, rxcql.Sink[int](to), hooks, rxcql.WithCheckpoint(store, "job", rxcql.CheckpointInterval(100*time.Hour))).Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, map[string]time.Duration{"fetch": time.Second, "write": time.Second, "save": time.Second}, got)
	})
}

func TestASourceMayMeasureByItself(t *testing.T) {
	var got time.Duration
	in := rxcql.NewStream(rxcql.StageInfo{Name: "Own", Source: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
		require.True(t, st.Hooked())
		_, end := st.StartFetch(ctx, rxcql.FetchEvent{})
		end(rxcql.FetchEvent{Duration: time.Hour})
		return out.Done(ctx, false)
	})
	_, err := in.Count(t.Context(), rxcql.WithHooks(rxcql.Hooks{FetchEnd: func(_ context.Context, e rxcql.FetchEvent) { got = e.Duration }}))
	require.NoError(t, err)
	require.Equal(t, time.Hour, got)
}
