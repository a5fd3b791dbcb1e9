package rxcqltest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/rxcqltest"
)

func TestTheLaggardPassesTheSuite(t *testing.T) {
	rxcqltest.TestOperator(t, laggardPlace(nil))
	require.Empty(t, rxcqltest.OperatorRules[[]int, []int]().BrokenInBubble(t, laggardPlace(nil), ""))
}
