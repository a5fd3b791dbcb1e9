package rxcql_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// otherEnd is the end of a run that is none of a test's own.
var otherEnd = flow.NewEnd("Other", nil)

// Whatever says the end of another run, it is a cancel to this one. A failure that comes with it is
// a failure.
func TestTheEndOfAnotherRunIsACancel(t *testing.T) {
	disk := errors.New("the disk is full")
	whole := func(err error) error { return fmt.Errorf("not done: %w", err) }
	for name, run := range map[string]func(err error) error{
		"a sink": func(err error) error {
			_, err = rxcql.Run(context.Background(), source.Of(1), sink.Each(func(context.Context, int) error { return err }))
			return err
		},
		"an operator": func(err error) error {
			_, err = operators.Map(source.Of(1), func(i int) (int, error) { return i, err }).Count(context.Background())
			return err
		},
		"the body of a loop": func(err error) error {
			_, err = source.Of(1).ForEach(context.Background(), func(int) error { return err })
			return err
		},
		"a stage": func(err error) error {
			return inStage(func(context.Context, *rxcql.Stage) error { return err })
		},
		"a group": func(err error) error {
			return inStage(func(ctx context.Context, st *rxcql.Stage) error {
				group, _ := st.TaskGroup(ctx)
				group.Go(func() error { return err })
				got := group.Wait()
				require.False(t, flow.IsEnd(got))
				return got
			})
		},
		"a group that is cancelled": func(err error) error {
			return inStage(func(ctx context.Context, st *rxcql.Stage) error {
				group, ctx := st.TaskGroup(ctx)
				group.Go(func() error { <-ctx.Done(); return context.Cause(ctx) })
				group.Cancel(err)
				require.False(t, flow.IsEnd(context.Cause(ctx)))
				return group.Wait()
			})
		},
		"a store of dead letters": func(err error) error {
			letters := &jobtest.Letters{}
			letters.Break(err)
			bad := operators.Map(source.Of(1), func(i int) (int, error) { return i, errRow })
			_, err = rxcql.Run(context.Background(), bad, sink.Each(func(context.Context, int) error { return nil }), rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
			return err
		},
	} {
		alone(t, name, func(t *testing.T) {
			for _, says := range []error{otherEnd, whole(otherEnd), errors.Join(otherEnd, otherEnd)} {
				err := run(says)
				require.ErrorIs(t, err, context.Canceled)
				require.ErrorContains(t, err, "ended by Other")
				require.False(t, flow.IsEnd(err))
			}
			for _, says := range []error{errors.Join(disk, otherEnd), fmt.Errorf("%w: %w", otherEnd, disk), whole(errors.Join(otherEnd, whole(disk)))} {
				err := run(says)
				require.ErrorIs(t, err, disk)
				require.NotErrorIs(t, err, context.Canceled)
				require.False(t, flow.IsEnd(err))
			}
		})
	}
}

// next is an observer that calls a function with each page.
type next struct {
	flow.Observer[int]
	call func(ctx context.Context, p *flow.Page[int]) error
}

func (o next) Next(ctx context.Context, p *flow.Page[int]) error { return o.call(ctx, p) }

// Stages choose by an error whether a stream has ended on purpose, so none may get an end of
// another run.
func TestNoStageGetsTheEndOfAnotherRun(t *testing.T) {
	none := func(err error) error {
		require.ErrorContains(t, err, "ended by Other")
		require.False(t, flow.IsEnd(err))
		return err
	}
	alone(t, "from downstream", func(*testing.T) {
		in := rxcql.Lift(source.Of(1), rxcql.StageInfo{Name: "Asks"}, func(_ *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
			return next{out, func(ctx context.Context, p *flow.Page[int]) error { return none(out.Next(ctx, p)) }}
		})
		_, err := in.ForEach(context.Background(), func(int) error { return otherEnd })
		_ = none(err)
	})
	alone(t, "from upstream", func(*testing.T) {
		fails := rxcql.NewStream(rxcql.StageInfo{Name: "Fails", Source: true}, func(_ context.Context, st *rxcql.Stage, _ flow.Observer[int]) error {
			st.Input().Done()
			return otherEnd
		})
		_, err := rxcql.NewStream(rxcql.StageInfo{Name: "Asks"}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
			return none(fails.Subscribe(ctx, st, out))
		}, fails).Count(context.Background())
		_ = none(err)
	})
	alone(t, "from itself", func(*testing.T) {
		_ = inStage(func(_ context.Context, st *rxcql.Stage) error {
			_ = none(st.Fail(otherEnd))
			return none(st.FailUserFunc(otherEnd, nil))
		})
	})
	alone(t, "from a failure outside of the stream's calls", func(*testing.T) {
		_ = inStage(func(ctx context.Context, st *rxcql.Stage) error {
			st.Run().Fail(otherEnd)
			return none(context.Cause(ctx))
		})
	})
	alone(t, "from a store of dead letters", func(*testing.T) {
		letters := &jobtest.Letters{}
		in := rxcql.Lift(source.Of(1), rxcql.StageInfo{Name: "Asks"}, func(st *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
			letters.Break(otherEnd)
			return next{out, func(ctx context.Context, p *flow.Page[int]) error {
				for {
					failed := rxcql.FailedRow{Position: p.Position, Row: p.Rows[0], Err: errRow}
					if err := st.RowFailed(context.WithoutCancel(ctx), p.Reservation, failed); err != nil {
						return none(err)
					}
				}
			}}
		})
		_, err := in.Count(context.Background(), rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
		_ = none(err)
	})
	alone(t, "from a context, where a row fails", func(t *testing.T) {
		in := rxcql.Lift(source.Of(1), rxcql.StageInfo{Name: "Asks"}, func(st *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
			return next{out, func(ctx context.Context, p *flow.Page[int]) error {
				ctx, cancel := context.WithCancelCause(ctx)
				cancel(otherEnd)
				return st.RowFailed(ctx, p.Reservation, rxcql.FailedRow{Position: p.Position, Row: p.Rows[0], Err: errRow})
			}}
		})
		rep, err := in.ForEach(context.Background(), func(int) error { return nil }, rxcql.WithRowErrors(rxcql.SkipRows(1)))
		_ = none(err)
		require.Zero(t, rep.Stages[1].Skipped)
	})
}

// A stage that ends its stream by a panic has failed.
func TestAPanicIsNoEnd(t *testing.T) {
	in := rxcql.Lift(source.Of(1), rxcql.StageInfo{Name: "Panics"}, func(st *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
		return next{out, func(context.Context, *flow.Page[int]) error { panic(st.End()) }}
	})
	_, err := in.Count(context.Background())
	require.ErrorIs(t, err, rxcql.ErrPanic)
	require.False(t, flow.IsEnd(err))
}

// The words of a function of the user's may be values of rows. The log hides them also if they come
// with the end of another run.
func TestTheLogHidesWhatComesWithTheEndOfAnotherRun(t *testing.T) {
	got := logged(t, func(log rxcql.Option) {
		_, err := rxcql.Run(context.Background(), source.Of(1), sink.Each(func(context.Context, int) error {
			return fmt.Errorf("card 4711: %w", otherEnd)
		}), log)
		require.ErrorContains(t, err, "card 4711")
	})
	require.NotContains(t, fmt.Sprint(got), "4711")
	require.Contains(t, fmt.Sprint(got), "ended by Other")
}
