package source_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func ExampleOf() {
	all, err := source.Of("JFK", "SFO").Collect(context.Background())
	fmt.Println(all, err)
	// Output: [JFK SFO] <nil>
}

func TestOfGivesItsValuesInEachRunWhateverBecomesOfTheSlice(t *testing.T) {
	for _, n := range []int{0, 1, 512, 513, 2000} {
		rows := make([]int, n)
		for i := range rows {
			rows[i] = i
		}
		of := source.Of(rows...)
		clear(rows)
		for range 2 {
			got, err := of.Collect(t.Context())
			require.NoError(t, err)
			require.Len(t, got, n)
			for i, row := range got {
				require.Equal(t, i, row)
			}
		}
	}
}

func TestOfIsRefusedInAJobWithTheRemedy(t *testing.T) {
	to := sink.Each(func(context.Context, int) error { return nil }, sink.Idempotent())
	_, err := rxcql.New(source.Of(1, 2), to, rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
	require.ErrorIs(t, err, rxcql.ErrNotResumable)
	require.ErrorContains(t, err, "use source.SeqFrom")
}
