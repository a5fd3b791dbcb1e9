package operators_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/operators"
)

// A source that is given up while it asks the server says so in an error of its own.
func TestAnInputThatIsGivenUpBecauseTheStreamEndsIsNoFailure(t *testing.T) {
	for name, given := range map[string]func(ctx context.Context) error{
		"the cause":  context.Cause,
		"the cancel": func(ctx context.Context) error { return ctx.Err() },
		"a request of the driver": func(ctx context.Context) error {
			return fmt.Errorf("reading the ring: %w", &driver.CancelledError{Cause: context.Cause(ctx), Err: ctx.Err()})
		},
		"a function of the user's": func(ctx context.Context) error { return fmt.Errorf("my page: %w", ctx.Err()) },
	} {
		for _, bare := range []bool{false, true} { // whether the source leaves out its name
			synctest.Test(t, func(t *testing.T) {
				begun := make(chan struct{})
				slow := rxcql.NewStream(rxcql.StageInfo{Name: "Slow", Source: true}, func(ctx context.Context, st *rxcql.Stage, _ flow.Observer[int]) error {
					defer st.Input().Done()
					close(begun)
					<-ctx.Done()
					if bare {
						return given(ctx)
					}
					return st.Fail(given(ctx))
				})
				for _, in := range [][]rxcql.Stream[int]{{count(10, 1), slow}, {slow, count(10, 1)}} {
					begun = make(chan struct{})
					all := operators.Merge(in...)
					rep, err := run(t, operators.Take(operators.Tap(all, func(int) error {
						<-begun
						return nil
					}), 3))
					require.NoError(t, err, name)
					require.Equal(t, "Take", rep.EndedBy, name)

					ctx, cancel := context.WithCancel(context.Background())
					begun = make(chan struct{})
					_, err = operators.Tap(all, func(int) error {
						<-begun
						cancel()
						return nil
					}).Collect(ctx)
					require.ErrorIs(t, err, context.Canceled, name)
				}
				begun = make(chan struct{})
				boom := errors.New("boom")
				failing := operators.Tap(count(1, 1), func(int) error {
					<-begun
					return boom
				})
				_, err := run(t, operators.Take(operators.Merge(slow, failing), 3))
				require.ErrorIs(t, err, boom, name)
			})
		}
	}
}

// A function of the user's may be given up by a context of its own: that is a failure like others.
func TestARowThatFailsByACancelOfTheUsersIsAFailureThoughTheStreamEnds(t *testing.T) {
	for name, fails := range map[string]func() error{
		"an error": func() error { return fmt.Errorf("auth: %w", context.Canceled) },
		"a panic":  func() error { panic(fmt.Errorf("auth: %w", context.Canceled)) },
	} {
		synctest.Test(t, func(t *testing.T) {
			begun, ended := make(chan struct{}), make(chan struct{})
			failing := operators.Tap(count(1, 1), func(int) error {
				close(begun)
				<-ended
				return fails()
			})
			_, err := run(t, operators.TakeWhile(operators.Merge(failing, count(1, 1)), func(int) bool {
				<-begun
				close(ended)
				return false
			}))
			require.ErrorIs(t, err, context.Canceled, name)
			require.ErrorContains(t, err, "auth", name)
			var failed *rxcql.StageError
			require.ErrorAs(t, err, &failed, name)
			require.Equal(t, "Tap", failed.Stage, name)
		})
	}
}

// oneRow is a source of one row that is then in the middle of a request until it is told to end.
func oneRow(given func(ctx context.Context, st *rxcql.Stage) error) rxcql.Stream[int] {
	return rxcql.NewStream(rxcql.StageInfo{Name: "Slow", Source: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
		defer st.Input().Done()
		reservation, err := st.Input().Reserve(ctx, 8)
		if err != nil {
			return err
		}
		p := &flow.Page[int]{Rows: []int{1}, Reservation: reservation}
		p.AddReceipt(st.Receipt())
		st.CountPage(1, 0)
		err = out.Next(ctx, p)
		p.Finish(err)
		if err != nil {
			return err
		}
		<-ctx.Done()
		return given(ctx, st)
	})
}

func TestTheRowThatFailsIsNotLostInWhatItsSourceSaysOfTheCancel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := oneRow(func(ctx context.Context, st *rxcql.Stage) error { return st.Fail(fmt.Errorf("my page: %w", ctx.Err())) })
		_, err := run(t, operators.MapConcurrent(source, 4, func(context.Context, int) (int, error) {
			return 0, fmt.Errorf("auth: %w", context.Canceled)
		}))
		require.ErrorContains(t, err, "auth")
	})
}
