package operators_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest"
)

func none() []int { return nil }

func gatherRows(all []int, n int) ([]int, error) { return append(all, n), nil }

func TestConflateFoldsWhatComesWhileDownstreamIsBusy(t *testing.T) {
	alone(t, "", func(t *testing.T) {
		in := pagesOf1(1).Delay(time.Second).Page(1).Page(2, 3).Page(4).Delay(time.Hour).Page(5)
		probe := rxcqltest.Observe(t, operators.Conflate(in.Stream(), none, gatherRows))
		time.Sleep(time.Minute)
		synctest.Wait()
		probe.ExpectRows([]int{0})
		probe.ExpectRows([]int{1, 2, 3, 4})
		probe.ExpectNothing(time.Minute)
		probe.ExpectRows([]int{5})
		rep := probe.ExpectComplete()
		require.Equal(t, rep.Pages, rep.PagesSettled)
		st := stagesOf(rep)["Conflate"]
		require.EqualValues(t, []int64{6, 3, 0}, []int64{st.In, st.Out, st.Dropped})
	})
	require.Empty(t, collect(t, operators.Conflate(count(0, 1), none, gatherRows)), "of nothing nothing")
	sums := collect(t, operators.Conflate(count(1000, 7), zero, add))
	total := 0
	for _, sum := range sums {
		total += sum
	}
	require.Equal(t, 999*1000/2, total, "no row is lost, however many states there are")
}

func TestConflateNeverHoldsUpstreamUp(t *testing.T) {
	alone(t, "", func(t *testing.T) {
		in := pagesOf1(1000)
		probe := rxcqltest.Observe(t, operators.Conflate(in.Stream(), zero, add), rxcql.WithBudget(rxcql.MinBudgetPerInput))
		time.Sleep(time.Second)
		synctest.Wait()
		ended, _ := in.Ended()
		require.True(t, ended)
		require.Zero(t, probe.Report().PagesSettled)
		for sum := 0; sum < 999*1000/2; {
			sum += probe.Take(1)[0]
		}
		probe.ExpectComplete()
	})
}

func TestPagesInAStateSettleWithIt(t *testing.T) {
	alone(t, "", func(t *testing.T) {
		in := pagesOf1(1).Delay(time.Second).Page(1).Watermark(time.Unix(1, 0)).Page(2).Watermark(time.Unix(2, 0)).Delay(time.Hour)
		probe := rxcqltest.Observe(t, operators.Conflate(in.Stream(), none, gatherRows))
		probe.Hold()
		time.Sleep(time.Minute)
		probe.ExpectPage([]int{0})
		said := probe.ExpectPage([]int{1, 2})
		require.Equal(t, -1, said.Range, "of several parts, as far as is known")
		require.Equal(t, flow.WatermarkAt(time.Unix(2, 0)), probe.ExpectPage().Watermark, "behind its rows")
		require.Zero(t, probe.Report().PagesSettled)
		probe.LetGo()
		probe.Stop()
		rep := probe.ExpectEndedBy(rxcql.EndedByStop)
		require.EqualValues(t, 3, rep.PagesSettled)
	})
}

func TestAFoldOfConflateThatFailsHandsNothingOnOfItsState(t *testing.T) {
	alone(t, "", func(t *testing.T) {
		in := pagesOf1(1).Delay(time.Second).Page(1).Page(2)
		failing := operators.Conflate(in.Stream(), none, func(all []int, n int) ([]int, error) {
			if n == 2 {
				return nil, errBoom
			}
			return append(all, n), nil
		})
		probe := rxcqltest.Observe(t, failing, rxcql.WithRowErrors(rxcql.SkipRows(5)))
		time.Sleep(time.Minute)
		probe.ExpectRows([]int{0})
		rep := probe.ExpectError(errBoom)
		failedIn(t, "Conflate", probe.Err())
		require.EqualValues(t, 1, rep.PagesSettled)
		require.Zero(t, rep.Skipped, "whatever the policy")
	})
	alone(t, "a panic", func(t *testing.T) {
		_, err := operators.Conflate(count(3, 1), none, func([]int, int) ([]int, error) { panic(errBoom) }).Count(context.Background())
		require.ErrorIs(t, err, rxcql.ErrPanic)
		failedIn(t, "Conflate", err)
		_, err = operators.Conflate(count(3, 1), func() int { panic(errBoom) }, add).Count(context.Background())
		require.ErrorIs(t, err, rxcql.ErrPanic)
	})
}

func TestWhatIsLeftInConflateGoesOnAtTheEndAndIsDroppedAtAnEndOnPurpose(t *testing.T) {
	alone(t, "Stop", func(t *testing.T) {
		probe := rxcqltest.Observe(t, operators.Conflate(pagesOf1(3).Delay(time.Hour).Stream(), zero, add))
		time.Sleep(time.Second)
		probe.Stop()
		time.Sleep(time.Second)
		for sum := 0; sum < 3; {
			sum += probe.Take(1)[0]
		}
		rep := probe.ExpectEndedBy(rxcql.EndedByStop)
		require.Equal(t, rep.Pages, rep.PagesSettled)
	})
	alone(t, "TakeWhile", func(t *testing.T) {
		in := pagesOf1(1).Delay(time.Second).Page(1).Page(2).Delay(time.Hour).Stream()
		rep, err := run(t, operators.TakeWhile(operators.Conflate(in, none, gatherRows), func([]int) bool {
			time.Sleep(time.Minute)
			return false
		}))
		require.NoError(t, err)
		require.Equal(t, rep.Pages, rep.PagesSettled)
		require.EqualValues(t, 2, stagesOf(rep)["Conflate"].Dropped)
		require.Zero(t, rep.BytesInFlight)
	})
}
