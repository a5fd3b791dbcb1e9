package operators_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// promised requires that the peak of a run is what is promised. places are the bytes that come on
// top of that.
func promised(t require.TestingT, rep rxcql.Report, places int64) {
	require.LessOrEqual(t, rep.PeakBytes, rep.Budget+int64(rep.PeakFetches)*rep.LargestPage+places, "%v", rep)
}

func TestTwoBatchesThatWaitForEachOtherNeedRoomForBoth(t *testing.T) {
	rows := func(n int, late time.Duration) rxcql.Stream[string] {
		return source.Seq(func(yield func(string, error) bool) {
			time.Sleep(late)
			for range n {
				if !yield(thousand[:100], nil) {
					return
				}
			}
		})
	}
	for name, late := range map[string]time.Duration{"the first waits": time.Second, "both are gathered at once": 0} {
		a := operators.Batch(rows(21000, 0), operators.BatchRows(21000))
		b := operators.Batch(rows(27000, late), operators.BatchRows(27000))
		both := operators.Zip(a, b, func(a, b []string) (int, error) { return len(a) + len(b), nil })
		run := func(budget int64) (got []int, rep rxcql.Report, err error) {
			rep, err = both.ForEach(context.Background(), func(n int) error { got = append(got, n); return nil }, rxcql.WithBudget(budget))
			return got, rep, err
		}
		alone(t, name, func(t *testing.T) {
			_, rep, err := run(4 << 20)
			var held *flow.BudgetHeldError
			require.ErrorAs(t, err, &held)
			require.Equal(t, "Batch", strings.TrimRight(held.Stage, " 2"))
			require.Greater(t, held.Held, int64(2<<20))
			promised(t, rep, 0)
			require.LessOrEqual(t, rep.PeakFetches, 6)
			got, rep, err := run(6 << 20)
			require.NoError(t, err)
			require.Equal(t, []int{48000}, got)
			promised(t, rep, 0)
		})
	}
}
