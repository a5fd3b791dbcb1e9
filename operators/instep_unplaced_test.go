package operators_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

// Before an operator has had any rows it may say how far a part has come. The budget must know
// through which input of a stage in step that comes, or takes it for something that moves for ever.
func TestWhatIsSaidBeforeAnyRowsIsBlockedTooWhereItsStageWaitsInStep(t *testing.T) {
	for name, between := range map[string]func(rxcql.Stream[weighty]) rxcql.Stream[weighty]{
		"alone": func(s rxcql.Stream[weighty]) rxcql.Stream[weighty] { return s },
		"buffered": func(s rxcql.Stream[weighty]) rxcql.Stream[weighty] {
			return operators.Buffer(s, 1000, rxcql.OverflowBlock)
		},
		"in lanes": func(s rxcql.Stream[weighty]) rxcql.Stream[weighty] {
			return operators.Lanes(s, 2, func(weighty) int { return 1 }, func(s rxcql.Stream[weighty]) rxcql.Stream[weighty] { return s })
		},
	} {
		alone(t, name, func(t *testing.T) {
			x := operators.Merge(between(zip(weighties(99), weighties(31))), operators.MergeSorted(allEqual, weighties(23), weighties(143)))
			y := weighties(103)
			late := operators.MergeSorted(allEqual, inBatchesOf(weighties(178), operators.BatchRows(5)), zip(y, y))
			s := zip(operators.MergeSorted(allEqual, x, x), inBatchesOf(late, operators.BatchRows(1000)))
			n, err := s.Count(context.Background(), rxcql.WithBudget(sourcesOf(s)*rxcql.MinBudgetPerInput))
			require.NoError(t, err)
			require.EqualValues(t, 281, n)
		})
	}
}
