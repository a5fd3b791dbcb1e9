package rxcql_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/source"
)

func TestAnObservableOfAStream(t *testing.T) {
	alone(t, "gives the rows in order to rxgo's operators", func(t *testing.T) {
		doubled := seq(100).Observable(context.Background()).
			Map(func(_ context.Context, v any) (any, error) { return v.(int) * 2, nil })
		want := 0
		for item := range doubled.Observe() {
			require.NoError(t, item.E)
			require.Equal(t, want, item.V)
			want += 2
		}
		require.Equal(t, 200, want)
	})
	alone(t, "runs anew for every observer, and for none not at all", func(t *testing.T) {
		pulled := 0
		obs := source.Seq(numbers(10, &pulled)).Observable(context.Background())
		require.Zero(t, pulled)
		for range 3 {
			for range obs.Observe() {
			}
		}
		require.Equal(t, 30, pulled)
	})
	alone(t, "ends with an error as its last item", func(t *testing.T) {
		in := source.Seq(func(yield func(int, error) bool) { _ = yield(1, nil) && yield(0, errTest) })
		var items []rxgo.Item
		for item := range in.Observable(context.Background()).Observe() {
			items = append(items, item)
		}
		require.Len(t, items, 2)
		require.Equal(t, 1, items[0].V)
		require.ErrorIs(t, items[1].E, errTest)
	})
	alone(t, "ends with the cause of a cancel, not in silence", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		defer cancel(nil)
		items := source.Seq(endless).Observable(ctx).Observe()
		var last rxgo.Item
		for item := range items {
			if last = item; item.V == 20 {
				cancel(errTest)
			}
		}
		require.Equal(t, errTest, last.E)
	})
	alone(t, "ends with the cause also while no row comes", func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(context.Background(), time.Minute, errTest)
		defer cancel()
		item := <-source.Chan(make(chan int)).Observable(ctx).Observe()
		require.Equal(t, errTest, item.E)
	})
	alone(t, "makes an item of a panic in an operator of the stream", func(t *testing.T) {
		in := mapped(seq(10), func(int) int { panic("no") })
		item := <-in.Observable(context.Background()).Observe()
		require.ErrorIs(t, item.E, rxcql.ErrPanic)
	})
	alone(t, "leaves nothing when its reader goes away and cancels", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		items := behind(seq(10_000)).Observable(ctx).Observe()
		<-items
		cancel()
		synctest.Wait()
		require.ErrorIs(t, (<-items).E, context.Canceled, "it can still be read")
		_, open := <-items
		require.False(t, open)
	})
}

func TestAStreamOfAnObservable(t *testing.T) {
	alone(t, "comes back as it went", func(t *testing.T) {
		rows, err := source.FromObservable[int](seq(2000).Observable(context.Background())).Collect(context.Background())
		require.NoError(t, err)
		require.Equal(t, upTo(2000), rows)
	})
	alone(t, "runs in a pipeline and settles its pages", func(t *testing.T) {
		to := &memory[int]{}
		rep, err := pipeline(t, source.FromObservable[int](rxgoOf(2000)), to).Run(context.Background())
		require.NoError(t, err)
		require.True(t, rep.Complete)
		require.Equal(t, upTo(2000), to.got())
		require.EqualValues(t, 2000, rep.ReadRows)
		require.Equal(t, rep.Pages, rep.PagesSettled)
	})
	alone(t, "refuses an item of another type and names both", func(t *testing.T) {
		for item, want := range map[any]string{"text": "got string, want int", int64(1): "got int64, want int", nil: "got <nil>, want int"} {
			rows, err := source.FromObservable[int](items(1, 2, item, 3)).Collect(context.Background())
			require.ErrorIs(t, err, rxcql.ErrItemType)
			require.ErrorContains(t, err, want)
			require.Equal(t, []int{1, 2}, rows, "the rows before it were good")
		}
	})
	alone(t, "names an interface too", func(t *testing.T) {
		_, err := source.FromObservable[error](rxgo.Just(1)()).Collect(context.Background())
		require.ErrorContains(t, err, "got int, want error")
	})
	alone(t, "ends with the error of an item", func(t *testing.T) {
		rows, err := source.FromObservable[int](rxgo.Just(1, errTest, 2)()).Collect(context.Background())
		require.ErrorIs(t, err, errTest)
		var stage *rxcql.StageError
		require.True(t, errors.As(err, &stage))
		require.Equal(t, "FromObservable", stage.Stage)
		require.Equal(t, []int{1}, rows)
	})
	alone(t, "of nothing is a mistake that New reports", func(t *testing.T) {
		_, err := rxcql.New(source.FromObservable[int](nil), &memory[int]{})
		require.ErrorContains(t, err, "FromObservable: the Observable is nil")
	})
	alone(t, "stops reading when downstream ends early", func(t *testing.T) {
		rows, err := take(source.FromObservable[int](rxgoOf(3000)), 7).Collect(context.Background())
		require.NoError(t, err)
		require.Equal(t, upTo(7), rows)
	})
	alone(t, "ends with the cause of its context while no item comes", func(t *testing.T) {
		obs, end := manual()
		defer end()
		ctx, cancel := context.WithTimeoutCause(context.Background(), time.Minute, errTest)
		defer cancel()
		_, err := source.FromObservable[int](obs).Count(ctx)
		require.Equal(t, errTest, err)
	})
	alone(t, "does not take a cancelled Observable's silence for the end", func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(context.Background())
		obs := rxgo.Defer([]rxgo.Producer{func(_ context.Context, ch chan<- rxgo.Item) {
			ch <- rxgo.Of(1)
			cancel(errTest)
		}})
		_, err := source.FromObservable[int](obs).Count(ctx)
		require.Equal(t, errTest, err)
	})
	alone(t, "lets the sender end when the run is stopped", func(t *testing.T) {
		ended := make(chan struct{})
		obs := rxgo.Defer([]rxgo.Producer{func(_ context.Context, ch chan<- rxgo.Item) {
			defer close(ended)
			for i := range 5000 {
				ch <- rxgo.Of(i)
			}
		}})
		to := &memory[int]{}
		p := pipeline(t, source.FromObservable[int](obs), to)
		to.write = func(context.Context, *flow.Page[int]) error { p.Stop(); return nil }
		rep, err := p.Run(context.Background())
		require.NoError(t, err)
		require.Equal(t, "Stop", rep.EndedBy)
		<-ended
	})
}

// items is an Observable of the values as they are.
func items(values ...any) rxgo.Observable {
	return rxgo.Defer([]rxgo.Producer{func(_ context.Context, ch chan<- rxgo.Item) {
		for _, v := range values {
			ch <- rxgo.Of(v)
		}
	}})
}
