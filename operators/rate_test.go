package operators_test

import (
	"math"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

func TestARateSaysWhatIsWrongWithIt(t *testing.T) {
	for text, limit := range map[string]*rxcql.Rate{
		"Throttle: the Rate is nil: make one with rxcql.NewRate": nil,
		"RowsPerSecond(0): must be above 0":                      rxcql.NewRate(rxcql.RowsPerSecond(0)),
		"BytesPerSecond(-1): must be above 0":                    rxcql.NewRate(rxcql.BytesPerSecond(-1)),
		"RequestsPerSecond(NaN): must be above 0":                rxcql.NewRate(rxcql.RequestsPerSecond(math.NaN())),
		"RateBurst(0s): must be above 0":                         rxcql.NewRate(rxcql.RateBurst(0)),
		"RateBurst(2m0s): must be above 0 and at most 1m0s":      rxcql.NewRate(rxcql.RateBurst(2 * time.Minute)),
		"an option is nil":                                       rxcql.NewRate(nil),
		"no limit: give RowsPerSecond":                           rxcql.NewRate(),
		"the Rate has no limit of rows or bytes":                 rxcql.NewRate(rxcql.RequestsPerSecond(1)),
	} {
		_, err := operators.Throttle(count(1, 1), limit).Count(t.Context())
		require.ErrorIs(t, err, rxcql.ErrConfig)
		require.ErrorContains(t, err, text)
	}
	limit := rxcql.NewRate(rxcql.RowsPerSecond(1))
	require.ErrorIs(t, limit.SetRowsPerSecond(-1), rxcql.ErrConfig)
	require.ErrorIs(t, limit.SetRowsPerSecond(math.NaN()), rxcql.ErrConfig)
	require.ErrorContains(t, limit.SetBytesPerSecond(1), "NewRate was given no BytesPerSecond")
	require.NoError(t, limit.SetRowsPerSecond(5))
}
