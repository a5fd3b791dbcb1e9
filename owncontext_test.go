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
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// A run that is begun inside of another one ends by its context as any run does.
func TestARunInsideOfAnotherOneHasTheContextThatItWasGiven(t *testing.T) {
	mine := errors.New("enough")
	for name, of := range map[string]struct {
		with  func(context.Context) (context.Context, context.CancelFunc)
		err   error // of contexts
		cause error
		has   bool // a deadline
	}{
		"a timeout": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 5*time.Second)
		}, context.DeadlineExceeded, context.DeadlineExceeded, true},
		"a timeout with a cause": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeoutCause(ctx, 5*time.Second, mine)
		}, context.DeadlineExceeded, mine, true},
		"a cancel with a cause": {func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(ctx)
			time.AfterFunc(5*time.Second, func() { cancel(mine) })
			return ctx, func() { cancel(nil) }
		}, context.Canceled, mine, false},
	} {
		for _, nested := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					type key struct{}
					inner := func(ctx context.Context) {
						ctx, cancel := of.with(context.WithValue(ctx, key{}, "value"))
						defer cancel()
						in := operators.MapConcurrent(source.Of(1), 1, func(ctx context.Context, i int) (int, error) {
							require.Equal(t, "value", ctx.Value(key{}))
							at, has := ctx.Deadline()
							require.Equal(t, of.has, has)
							require.True(t, !has || time.Until(at) == 5*time.Second)
							longer, cancel := context.WithTimeout(ctx, time.Hour)
							defer cancel()
							<-longer.Done()
							require.Equal(t, of.err, ctx.Err())
							require.Equal(t, of.err, longer.Err())
							require.Equal(t, of.cause, context.Cause(ctx))
							return i, context.Cause(ctx)
						})
						_, err := rxcql.Run(ctx, in, sink.Each(func(context.Context, int) error { return nil }))
						require.ErrorIs(t, err, of.cause)
					}
					if !nested {
						inner(t.Context())
						return
					}
					_, err := rxcql.Run(t.Context(), source.Of(1), sink.Each(func(ctx context.Context, _ int) error { inner(ctx); return nil }))
					require.NoError(t, err)
				})
			})
		}
	}
}

// checks is a sink whose Check calls a function.
type checks struct {
	check func(context.Context) error
}

func (c checks) Info() rxcql.SinkInfo            { return rxcql.SinkInfo{Stages: []string{"Checks"}} }
func (c checks) Check(ctx context.Context) error { return c.check(ctx) }
func (c checks) Open(context.Context, *rxcql.Execution) (rxcql.Writer[int], error) {
	return nil, errors.New("it is only checked")
}

// A run is begun when the stream of the run around it has ended.
func TestARunThatIsBegunBehindTheEndOfAnotherOneIsCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		outer := operators.MapConcurrent(source.Of(0, 1), 2, func(ctx context.Context, i int) (int, error) {
			if i == 0 {
				time.Sleep(time.Second)
				return i, nil
			}
			<-ctx.Done()
			for _, read := range []func() error{
				func() error {
					rep, err := rxcql.Run(ctx, source.Of(1), sink.Each(func(context.Context, int) error { return nil }))
					require.Zero(t, rep.PagesSettled)
					return err
				},
				func() error { _, err := source.Of(1).Collect(ctx); return err },
				func() error { // the reader's context is not that of the stream
					slow := operators.Map(source.Of(make([]int, 100)...), func(i int) (int, error) { time.Sleep(time.Second); return i, nil })
					var err error
					for item := range slow.Observable(context.Background()).Observe(rxgo.WithContext(ctx)) { //nolint:contextcheck // as said
						err = item.E
					}
					return err
				},
				func() error {
					p, err := rxcql.New(source.Of(1), checks{func(ctx context.Context) error { _, err := source.Of(1).Collect(ctx); return err }})
					require.NoError(t, err)
					return p.Check(ctx)
				},
			} {
				err := read()
				require.ErrorIs(t, err, context.Canceled)
				require.False(t, flow.IsEnd(err))
				require.ErrorContains(t, err, "the run in which this one was begun has ended on purpose (ended by TakeWhile)")
			}
			return i, nil
		})
		rep, err := rxcql.Run(t.Context(), operators.TakeWhile(outer, func(int) bool { return false }), sink.Each(func(context.Context, int) error { return nil }))
		require.NoError(t, err)
		require.Equal(t, "TakeWhile", rep.EndedBy)
	})
}
