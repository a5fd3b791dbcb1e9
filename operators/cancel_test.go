package operators_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
)

// runIn is run with a context.
func runIn[T any](ctx context.Context, t *testing.T, s rxcql.Stream[T]) (rxcql.Report, error) {
	t.Helper()
	p, err := rxcql.New(s, &gather[T]{})
	require.NoError(t, err)
	return p.Run(ctx)
}

func ctxSame(_ context.Context, n int) (int, error) { return n, nil }

func TestACancelInsideABigPageIsSeenByMapScanAndEventTimeInsideIt(t *testing.T) {
	const rows = 10_000
	for name, with := range map[string]func(each func(int)) rxcql.Stream[int]{
		"Map": func(each func(int)) rxcql.Stream[int] {
			return operators.Map(count(rows, rows), func(n int) (int, error) { each(n); return n, nil })
		},
		"Scan": func(each func(int)) rxcql.Stream[int] {
			return operators.Scan(count(rows, rows), zero, func(_, n int) (int, error) { each(n); return n, nil })
		},
		"EventTime": func(each func(int)) rxcql.Stream[int] {
			return operators.EventTime(count(rows, rows), func(n int) (time.Time, error) { each(n); return second(n), nil })
		},
	} {
		for _, at := range []int{0, 1, 63, 64, 65, 5000, rows - 100} {
			t.Run(fmt.Sprint(name, " at ", at), func(t *testing.T) {
				why := errors.New("why")
				ctx, cancel := context.WithCancelCause(context.Background())
				last, after := -1, 0
				slow := with(func(n int) {
					if last = n; n == at {
						cancel(why)
					}
				})
				rep, err := runIn(ctx, t, operators.Tap(slow, func(int) error { after++; return nil }))
				require.Equal(t, why, err)
				require.GreaterOrEqual(t, last, at)
				require.LessOrEqual(t, last, at+64)
				require.Zero(t, after, "nothing of the page goes on")
				require.Zero(t, rep.Filtered, "it is lost, not dropped on purpose")
				require.Zero(t, rep.PagesSettled)
				require.Zero(t, rep.BytesInFlight)
			})
		}
	}
}

// errLate is the failure of a user's function that has a deadline of its own.
var errLate = fmt.Errorf("the query of a row: %w", context.DeadlineExceeded)

// isLate requires errLate as the error of a stage.
func isLate(t *testing.T, rep rxcql.Report, err error, stage string) {
	t.Helper()
	require.ErrorIs(t, err, errLate)
	failedIn(t, stage, err)
	require.False(t, rep.Complete)
	require.Zero(t, rep.BytesInFlight)
}

func TestADeadlineOfTheUsersOwnIsAFailure(t *testing.T) {
	for name, opts := range bothOrders {
		alone(t, "in MapConcurrent, "+name+", which ends on purpose at the same time", func(t *testing.T) {
			begun, failed := make(chan struct{}), make(chan struct{})
			calls := operators.MapConcurrent(count(100, 100), 2, func(_ context.Context, n int) (int, error) {
				if n == 1 {
					<-begun
					close(failed)
					return 0, errLate
				}
				return n, nil
			}, opts...)
			rep, err := run(t, operators.TakeWhile(calls, func(int) bool {
				close(begun)
				<-failed
				synctest.Wait()
				return false
			}))
			isLate(t, rep, err, "MapConcurrent")
		})
	}
	alone(t, "in an input of Merge, which ends on purpose at the same time", func(t *testing.T) {
		begun, failed := make(chan struct{}), make(chan struct{})
		failing := operators.Tap(count(1, 1), func(int) error {
			<-begun
			close(failed)
			return errLate
		})
		rep, err := run(t, operators.TakeWhile(operators.Merge(count(1, 1), failing), func(int) bool {
			close(begun)
			<-failed
			synctest.Wait()
			return false
		}))
		isLate(t, rep, err, "Tap")
	})
	alone(t, "in a Batch with a time limit, which ends on purpose at the same time", func(t *testing.T) {
		failing := operators.Tap(count(10, 5), func(n int) error {
			if n < 5 {
				return nil
			}
			time.Sleep(2 * time.Second)
			return errLate
		})
		batches := operators.Batch(failing, operators.BatchLinger(time.Second))
		rep, err := run(t, operators.TakeWhile(batches, func([]int) bool { time.Sleep(time.Minute); return false }))
		isLate(t, rep, err, "Tap")
	})
	alone(t, "in an input of Merge, beside one that gives back what its context says", func(t *testing.T) {
		info := rxcql.StageInfo{Name: "Echo", Source: true}
		echoing := rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, _ flow.Observer[int]) error {
			defer st.Input().Done()
			<-ctx.Done()
			return ctx.Err()
		})
		failing := operators.Tap(count(1, 1), func(int) error { return errLate })
		for _, inputs := range [][]rxcql.Stream[int]{{echoing, failing}, {failing, echoing}} {
			rep, err := run(t, operators.Merge(inputs...))
			isLate(t, rep, err, "Tap")
		}
	})
}
