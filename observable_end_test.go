package rxcql_test

import (
	"context"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/source"
)

// age is longer than any wait that could decide something.
const age = 24 * time.Hour

// failing gives n rows and then errTest, each row in a page of its own.
func failing(n int) rxcql.Stream[int] {
	return source.Seq(func(yield func(int, error) bool) {
		for i := range n {
			if !yield(i, nil) {
				return
			}
		}
		yield(0, errTest)
	}, source.PageRows(1))
}

// slowly reads an Observable to its close, and waits before each item.
func slowly(items <-chan rxgo.Item) (rows []any, last error) {
	for time.Sleep(age); ; time.Sleep(age) {
		item, open := <-items
		switch {
		case !open:
			return rows, last
		case item.E != nil:
			last = item.E
		default:
			rows = append(rows, item.V)
		}
	}
}

func TestASlowReaderOfAnObservableIsToldTheError(t *testing.T) {
	pass := func(_ context.Context, v any) (any, error) { return v, nil }
	for name, observe := range map[string]func(rxgo.Observable) rxgo.Observable{
		"itself":              func(o rxgo.Observable) rxgo.Observable { return o },
		"behind an operator":  func(o rxgo.Observable) rxgo.Observable { return o.Map(pass) },
		"behind two":          func(o rxgo.Observable) rxgo.Observable { return o.Map(pass).Map(pass) },
		"with a buffer":       func(o rxgo.Observable) rxgo.Observable { return o.Map(pass, rxgo.WithBufferedChannel(2)) },
		"without any":         func(o rxgo.Observable) rxgo.Observable { return o.Map(pass, rxgo.WithBufferedChannel(0)) },
		"observed by another": func(o rxgo.Observable) rxgo.Observable { return rxgo.Concat([]rxgo.Observable{o}) },
	} {
		alone(t, name, func(t *testing.T) {
			rows, err := slowly(observe(failing(3).Observable(context.Background())).Observe())
			require.ErrorIs(t, err, errTest)
			require.Equal(t, []any{0, 1, 2}, rows)
		})
		alone(t, name+", when the context has ended", func(t *testing.T) {
			ctx, cancel := context.WithTimeoutCause(context.Background(), 3*age/2, errTest)
			defer cancel()
			rows, err := slowly(observe(source.Seq(endless).Observable(ctx)).Observe())
			require.Equal(t, errTest, err)
			for i, row := range rows {
				require.Equal(t, i, row, "no row is left out between others")
			}
		})
	}
	for _, buffer := range []int{0, 1, 2, 5} {
		alone(t, "with any buffer", func(t *testing.T) {
			ctx, cancel := context.WithTimeoutCause(context.Background(), 5*age/2, errTest)
			defer cancel()
			_, err := slowly(source.Seq(endless).Observable(ctx).Observe(rxgo.WithBufferedChannel(buffer)))
			require.Equal(t, errTest, err)
		})
	}
}

func TestAnObservableEndsWithoutItsReader(t *testing.T) {
	for name, in := range map[string]rxcql.Stream[int]{"that fails": failing(50), "that does not end": source.Seq(endless)} {
		for read := range 5 {
			alone(t, name, func(t *testing.T) { // goroutines that are left fail it
				ctx, cancel := context.WithCancel(context.Background())
				items := in.Observable(ctx).Observe()
				for range read {
					<-items
				}
				cancel()
				time.Sleep(age)
			})
			alone(t, name+", whose reader took what it needs", func(t *testing.T) {
				ctx, cancel := context.WithCancel(context.Background())
				for range in.Observable(ctx).Take(uint(read), rxgo.WithErrorStrategy(rxgo.StopOnError)).Observe() {
				}
				cancel()
				time.Sleep(age)
			})
			alone(t, name+", whose reader has a context of its own", func(t *testing.T) {
				reader, cancel := context.WithCancel(context.Background())
				items := in.Observable(context.Background()).Observe(rxgo.WithContext(reader))
				for range read {
					<-items
				}
				cancel()
				time.Sleep(age)
			})
		}
	}
}

func TestAnObservableWhoseProducerLeavesIsNoWholeOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := mapped(seq(10), func(n int) int {
			if n == 5 {
				runtime.Goexit()
			}
			return n
		})
		var last error
		for item := range in.Observable(context.Background()).Observe() {
			last = item.E
		}
		require.ErrorContains(t, last, "Goexit")
	})
}

func TestAPipelineFromAnObservableIsNeverWholeWhenTheObservableFailed(t *testing.T) {
	alone(t, "with a slow sink", func(t *testing.T) {
		to := &memory[int]{write: func(context.Context, *flow.Page[int]) error { time.Sleep(age); return nil }}
		rep, err := pipeline(t, source.FromObservable[int](failing(3).Observable(context.Background())), to).Run(context.Background())
		require.ErrorIs(t, err, errTest)
		require.False(t, rep.Complete)
		require.Equal(t, upTo(3), to.got())
	})
	alone(t, "when the Observable's context ended", func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(context.Background(), age/2, errTest)
		defer cancel()
		to := &memory[int]{write: func(context.Context, *flow.Page[int]) error { time.Sleep(age); return nil }}
		rep, err := pipeline(t, source.FromObservable[int](source.Seq(endless).Observable(ctx)), to).Run(context.Background())
		require.ErrorIs(t, err, errTest)
		require.False(t, rep.Complete)
	})
}

func TestWhatFromObservableLeavesIsReadToItsEnd(t *testing.T) {
	alone(t, "however slow it is, and nothing waits for it", func(t *testing.T) {
		begin := time.Now()
		ended := make(chan struct{})
		obs := rxgo.Defer([]rxgo.Producer{func(_ context.Context, ch chan<- rxgo.Item) {
			defer close(ended)
			for i := range 10 {
				ch <- rxgo.Of(i)
				if i > 3 {
					time.Sleep(age)
				}
			}
		}})
		rows, err := take(source.FromObservable[int](obs), 3).Collect(context.Background())
		require.NoError(t, err)
		require.Equal(t, upTo(3), rows)
		require.Zero(t, time.Since(begin))
		<-ended
	})
}
