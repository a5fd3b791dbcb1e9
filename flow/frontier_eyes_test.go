package flow_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/flow"
)

// Windows were closed before the end, and the frontier could not move over them.
func TestAtTheEndOfTheStreamNothingWaitsForPartsThatWereNotReadAgain(t *testing.T) {
	h := newHeldBy(func(c *flow.FrontierConfig) { c.CaughtUp = func() bool { return false } })
	require.NoError(t, h.page(10))
	require.NoError(t, h.page(20))
	h.Durable(at(5))
	given := h.Receipt(at(10))
	h.Durable(flow.Forever)
	require.Empty(t, h.settled, "results are on their way")
	require.Zero(t, h.saved())
	given.Settle()
	require.Equal(t, []int64{10, 20}, h.settled)
	require.Equal(t, at(20), h.saved())
}
