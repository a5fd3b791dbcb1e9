package source_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestAPanicInAFunctionOfPagesIsAnErrorWithItsStack(t *testing.T) {
	calls := 0
	in := source.Pages(func(context.Context) ([]int, error) {
		if calls++; calls == 2 {
			panic(errPages)
		}
		return []int{calls}, nil
	})
	rep, err := in.ForEach(t.Context(), func(int) error { return nil })
	require.ErrorIs(t, err, errPages)
	require.ErrorIs(t, err, rxcql.ErrPanic)
	var stage *rxcql.StageError
	require.ErrorAs(t, err, &stage)
	require.Equal(t, "Pages", stage.Stage)
	require.Contains(t, string(stage.Stack), "pages_ends_test.go")
	require.EqualValues(t, 1, rep.ReadRows)
	require.Zero(t, rep.BytesInFlight)
}

func TestPagesEndsWithTheCauseOfItsContext(t *testing.T) {
	why := errors.New("enough")
	for name, waits := range map[string]func(context.Context) ([]int, error){
		"an error of ctx":       func(ctx context.Context) ([]int, error) { <-ctx.Done(); return nil, ctx.Err() },
		"the cause":             func(ctx context.Context) ([]int, error) { <-ctx.Done(); return nil, context.Cause(ctx) },
		"wrapped":               func(ctx context.Context) ([]int, error) { <-ctx.Done(); return nil, fmt.Errorf("page: %w", ctx.Err()) },
		"no error":              func(ctx context.Context) ([]int, error) { <-ctx.Done(); return []int{2}, nil },
		"the end":               func(ctx context.Context) ([]int, error) { <-ctx.Done(); return []int{2}, io.EOF },
		"rows and its error":    func(ctx context.Context) ([]int, error) { <-ctx.Done(); return []int{2}, ctx.Err() },
		"what may pass, always": func(context.Context) ([]int, error) { return nil, syscall.ECONNRESET },
		"no rows, always": func(context.Context) ([]int, error) {
			time.Sleep(time.Minute)
			return nil, nil
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Hour, why)
			defer cancel()
			first, got := true, 0
			in := source.Pages(func(ctx context.Context) ([]int, error) {
				if first {
					first = false
					return []int{1}, nil
				}
				return waits(ctx)
			})
			rep, err := in.ForEach(ctx, func(int) error { got++; return nil }, rxcql.WithRetry(1000*time.Hour, 0))
			require.Equal(t, why, err, name)
			require.False(t, rep.Complete, name)
			require.Equal(t, 1, got, name)
			require.Zero(t, rep.BytesInFlight, name)
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	in := source.Pages(func(context.Context) ([]int, error) { cancel(); return nil, errPages })
	_, err := in.Count(ctx)
	require.Error(t, err, "an error that has nothing to do with the end of ctx")
	require.ErrorIs(t, err, errPages)
}

func TestStopEndsPagesAndWritesWhatItsFunctionHasGiven(t *testing.T) {
	for name, c := range map[string]struct {
		next func(context.Context) ([]int, error)
		want []int
	}{
		"waiting":            {func(ctx context.Context) ([]int, error) { <-ctx.Done(); return nil, ctx.Err() }, []int{1}},
		"waiting, the cause": {func(ctx context.Context) ([]int, error) { <-ctx.Done(); return nil, context.Cause(ctx) }, []int{1}},
		"with rows in hand":  {func(ctx context.Context) ([]int, error) { <-ctx.Done(); return []int{2, 3}, nil }, []int{1, 2, 3}},
		"rows and an error":  {func(ctx context.Context) ([]int, error) { <-ctx.Done(); return []int{2, 3}, ctx.Err() }, []int{1, 2, 3}},
		"between two tries":  {func(context.Context) ([]int, error) { return nil, syscall.ECONNRESET }, []int{1}},
	} {
		synctest.Test(t, func(t *testing.T) {
			first := true
			var got []int
			in := source.Pages(func(ctx context.Context) ([]int, error) {
				if first {
					first = false
					return []int{1}, nil
				}
				return c.next(ctx)
			})
			p, err := rxcql.New(in, sink.Each(func(_ context.Context, n int) error { got = append(got, n); return nil }, sink.InFlight(1)),
				rxcql.WithRetry(1000*time.Hour, 0))
			require.NoError(t, err)
			go func() {
				time.Sleep(time.Hour)
				p.Stop()
			}()
			rep, err := p.Run(t.Context())
			require.NoError(t, err, name)
			require.Equal(t, c.want, got, name)
			require.Equal(t, "Stop", rep.EndedBy, name)
			require.False(t, rep.Complete, name)
			require.Zero(t, rep.RangesDone, name)
			require.Equal(t, rep.Pages, rep.PagesSettled, name)
			require.Zero(t, rep.BytesInFlight, name)
		})
	}
}

func TestAnErrorAfterStopIsNotSwallowedByIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := source.Pages(func(ctx context.Context) ([]int, error) { <-ctx.Done(); return nil, errPages })
		p, err := rxcql.New(in, sink.Each(func(context.Context, int) error { return nil }))
		require.NoError(t, err)
		go func() {
			time.Sleep(time.Hour)
			p.Stop()
		}()
		_, err = p.Run(t.Context())
		require.ErrorIs(t, err, errPages)
	})
}
