package operators_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

func TestALaneThatDoesNotGoOnHoldsNoMoreRowsThanIsSaid(t *testing.T) {
	const lanes, page = 3, 100
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		read := 0
		s := operators.Lanes(source.Seq(numbers(1<<40, &read), source.PageRows(page)), lanes, itself[int], func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.MapConcurrent(in, 1, func(ctx context.Context, n int) (int, error) {
				<-ctx.Done()
				return 0, ctx.Err()
			})
		})
		done := make(chan error)
		go func() {
			_, err := s.Count(ctx)
			done <- err
		}()
		synctest.Wait()
		require.Less(t, read, lanes*(512+page)+4*page, "what waits in each lane, what it works on, and pages read ahead")
		require.Greater(t, read, 512)
		cancel(errUser)
		require.ErrorIs(t, <-done, errUser)
	})
}

func TestRowsInLanesAreChargedToTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := make(chan struct{}, 1)
		goOn := make(chan struct{})
		s := operators.Lanes(mixed(1000), 2, itself[string], func(in rxcql.Stream[string]) rxcql.Stream[string] {
			return operators.Tap(in, func(string) error {
				select {
				case begun <- struct{}{}:
				default:
				}
				<-goOn
				return nil
			})
		})
		p, err := rxcql.New(s, &gather[string]{}, rxcql.WithBudget(1<<20))
		require.NoError(t, err)
		done := make(chan error)
		go func() {
			_, err := p.Run(t.Context())
			done <- err
		}()
		<-begun
		synctest.Wait()
		held := p.Progress().BytesInFlight
		require.Greater(t, held, int64(700<<10), "the lanes hold as much as there is room for")
		require.LessOrEqual(t, held, int64(1<<20)+p.Progress().LargestPage)
		close(goOn)
		require.NoError(t, <-done)
		require.Zero(t, p.Progress().BytesInFlight)
	})
}

func TestABatchInALaneThatTheBudgetHasNoRoomForIsNamedWithItsLane(t *testing.T) {
	s := operators.Lanes(mixed(5000), 2, itself[string], func(in rxcql.Stream[string]) rxcql.Stream[[]string] {
		return operators.Batch(in, operators.BatchRows(5000))
	})
	_, err := s.Count(t.Context(), rxcql.WithBudget(rxcql.MinBudgetPerInput))
	var held *flow.BudgetHeldError
	require.ErrorAs(t, err, &held)
	require.Regexp(t, `^Batch \(lane [12]\)$`, held.Stage)
}
