package rxcql_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

func TestARunFailsAtOnceWhenAnOperatorHoldsTheBudget(t *testing.T) {
	alone(t, "and names it", func(t *testing.T) {
		to := &memory[int]{}
		rep, err := pipeline(t, keeping(seq(100_000), false), to, rxcql.WithBudget(64*kib)).Run(context.Background())
		var held *flow.BudgetHeldError
		require.ErrorAs(t, err, &held)
		require.ErrorIs(t, err, rxcql.ErrBudgetHeld)
		require.Equal(t, "Keep", held.Stage)
		require.False(t, rep.Complete)
		require.Less(t, rep.PagesSettled, rep.Pages)
		require.LessOrEqual(t, rep.PeakBytes, rep.Budget+int64(rep.PeakFetches)*rep.LargestPage)
	})
	alone(t, "and goes through where the budget is enough", func(t *testing.T) {
		to := &memory[int]{}
		rep, err := pipeline(t, keeping(seq(100_000), false), to).Run(context.Background())
		require.NoError(t, err)
		require.True(t, rep.Complete)
		require.Zero(t, rep.BytesInFlight)
		require.Equal(t, upTo(100_000), to.got())
	})
}
