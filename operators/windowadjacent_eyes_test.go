package operators_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

// A run that goes on begins behind the first windows, and knows of the order of times what the
// checkpoint says of these.
func TestRowsOutOfOrderAreSoInTheRunsThatGoOnToo(t *testing.T) {
	for _, kind := range []string{"Tumbling", "Hopping", "Session"} {
		for name, at := range map[string][]int{
			"forward, a row comes too late":    {1, 2, 3, 40, 41, 2},
			"backward, a row comes too late":   {70, 69, 68, 40, 39, 69},
			"forward, a row is before all":     {1, 2, 3, 40, 41, -30},
			"backward, a row is behind all":    {70, 69, 68, 40, 39, 100},
			"forward, it is the second window": {1, 40, 41, 80, 41},
		} {
			t.Run(kind+", "+name, func(t *testing.T) {
				rows := make([]stamped, len(at))
				for i, each := range at {
					rows[i] = stamped{number: i, at: each}
				}
				parts := &jobtest.Parts[stamped]{Rows: [][]stamped{rows}, PageRows: 1}
				windows, _ := jobWindows(kind)
				store := &jobtest.Store{}
				for run := range 3 {
					results := operators.WindowAdjacent(parts.Stream(), windows, timeOfStamped, stampedKey, noTimes, addNumber)
					rep, err := rxcql.Run(context.Background(), results, sink.Each(func(_ context.Context, r operators.WindowResult[int, []int]) error {
						require.NotContains(t, r.Value, len(at)-1)
						return nil
					}, sink.Idempotent(), sink.InFlight(1)), rxcql.WithCheckpoint(store, "job"))
					require.ErrorIs(t, err, operators.ErrOutOfOrder, "run %d", run)
					require.Equal(t, run > 0, rep.ResumedRows > 0)
				}
			})
		}
	}
}
