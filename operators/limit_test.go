package operators_test

import (
	"context"
	"math"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/operators"
)

func TestALimitTooLargeForANumberIsNone(t *testing.T) {
	in := operators.MapConcurrent(count(100, 10), 4, func(_ context.Context, n int) (int, error) { return n, nil })
	rows, err := operators.Take(operators.Skip(in, math.MaxInt64), 10).Collect(t.Context())
	require.NoError(t, err)
	require.Empty(t, rows)
}
