package rxcql_test

import (
	"context"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// inStage runs fn as a source of one run and returns the run's error.
func inStage(fn func(ctx context.Context, st *rxcql.Stage) error) error {
	in := rxcql.NewStream(rxcql.StageInfo{Name: "Stage", Source: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
		defer st.Input().Done()
		if err := fn(ctx, st); err != nil {
			return err
		}
		return out.Done(ctx, false)
	})
	_, err := in.Count(context.Background())
	return err
}

func TestAGroupOfGoroutines(t *testing.T) {
	waits := func(ctx context.Context) func() error {
		return func() error { <-ctx.Done(); return context.Cause(ctx) }
	}
	alone(t, "ends with the first error, which is the others' cause", func(t *testing.T) {
		require.Equal(t, errTest, inStage(func(ctx context.Context, st *rxcql.Stage) error {
			g, ctx := st.TaskGroup(ctx)
			g.Go(waits(ctx))
			g.Go(func() error { return errTest })
			err := g.Wait()
			require.Equal(t, errTest, context.Cause(ctx))
			return err
		}))
	})
	alone(t, "ends with what has failed, though another has met the end of the stream before", func(t *testing.T) {
		for name, other := range map[string]func(ctx context.Context, st *rxcql.Stage) error{
			"the end":  func(_ context.Context, st *rxcql.Stage) error { return st.End() },
			"a cancel": func(context.Context, *rxcql.Stage) error { return context.Canceled },
		} {
			err := inStage(func(ctx context.Context, st *rxcql.Stage) error {
				g, ctx := st.TaskGroup(ctx)
				g.Go(func() error { return other(ctx, st) })
				g.Go(func() error {
					<-ctx.Done()
					return st.Fail(errTest)
				})
				return g.Wait()
			})
			require.ErrorIs(t, err, errTest, name)
		}
	})
	alone(t, "makes a panic a StageError", func(t *testing.T) {
		err := inStage(func(ctx context.Context, st *rxcql.Stage) error {
			g, ctx := st.TaskGroup(ctx)
			g.Go(waits(ctx))
			g.Go(func() error { panic(errTest) })
			return g.Wait()
		})
		require.ErrorIs(t, err, rxcql.ErrPanic)
		require.ErrorIs(t, err, errTest)
		require.ErrorContains(t, err, "stage Stage")
	})
	alone(t, "does not take an exit of a goroutine for success", func(t *testing.T) {
		err := inStage(func(ctx context.Context, st *rxcql.Stage) error {
			g, _ := st.TaskGroup(ctx)
			g.Go(func() error { runtime.Goexit(); return nil })
			return g.Wait()
		})
		require.ErrorContains(t, err, "Goexit")
	})
	alone(t, "is cancelled with a cause", func(t *testing.T) {
		require.Equal(t, errTest, inStage(func(ctx context.Context, st *rxcql.Stage) error {
			g, ctx := st.TaskGroup(ctx)
			g.Go(waits(ctx))
			g.Cancel(errTest)
			return g.Wait()
		}))
	})
	alone(t, "ends its context when it has been waited for", func(t *testing.T) {
		require.NoError(t, inStage(func(ctx context.Context, st *rxcql.Stage) error {
			g, ctx := st.TaskGroup(ctx)
			g.Go(func() error { return nil })
			err := g.Wait()
			require.Error(t, ctx.Err())
			return err
		}))
	})
}

func TestAStage(t *testing.T) {
	t.Run("protects calls of users' functions and names itself in errors", func(t *testing.T) {
		require.NoError(t, inStage(func(_ context.Context, st *rxcql.Stage) error {
			require.Equal(t, "Stage", st.Name())
			require.NoError(t, st.Fail(nil))
			require.EqualError(t, st.Fail(errTest), "rxcql: stage Stage: broken on purpose")
			require.ErrorIs(t, st.Protect(func() error { panic("x") }), rxcql.ErrPanic)
			require.NoError(t, st.Protect(func() error { return nil }))
			require.Equal(t, rxcql.DefaultWorkers, st.Run().Workers())
			require.NotNil(t, st.Run().Log())
			require.NotZero(t, st.Run().TimestampBase())
			return nil
		}))
	})
}
