package ring_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/internal/ring"
)

func TestCoversNamesTheFirstGapOrOverlap(t *testing.T) {
	low, high := int64(math.MinInt64), int64(math.MaxInt64)
	cases := map[string]struct {
		ranges []ring.Range
		says   string
	}{
		"nothing at all":    {nil, "nothing holds (-9223372036854775808, 9223372036854775807]"},
		"a gap at the foot": {[]ring.Range{{0, high}}, "nothing holds (-9223372036854775808, 0]"},
		"a gap in between":  {[]ring.Range{{5, high}, {low, 3}}, "nothing holds (3, 5]"},
		"a gap at the top":  {[]ring.Range{{low, 3}}, "nothing holds (3, 9223372036854775807]"},
		"an overlap":        {[]ring.Range{{low, 5}, {3, high}}, "(3, 5] is held twice"},
		"one inside":        {[]ring.Range{{low, 9}, {9, high}, {3, 5}}, "(3, 5] is held twice"},
		"a duplicate":       {[]ring.Range{{low, 9}, {9, high}, {9, high}}, "(9, 9223372036854775807] is held twice"},
		"an empty one":      {[]ring.Range{{low, high}, {3, 3}}, "(3, 3] is empty"},
		"one that wraps":    {[]ring.Range{{low, high}, {3, -3}}, "(3, -3] is empty or wraps around"},
	}
	for name, c := range cases {
		err := ring.Covers(c.ranges)
		require.ErrorIs(t, err, ring.ErrNotTiled, name)
	}
	for _, name := range []string{"nothing at all", "a gap at the foot", "a gap in between", "a gap at the top", "an overlap", "one inside", "a duplicate"} {
		require.ErrorContains(t, ring.Covers(cases[name].ranges), cases[name].says, name)
	}
	require.ErrorContains(t, ring.Covers([]ring.Range{{3, -3}}), "(3, -3] is empty or wraps around")
}

func TestCoversTakesRangesInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tiles := anyTiles().Draw(t, "tiles")
		require.NoError(t, ring.Covers(rapid.Permutation(tiles).Draw(t, "order")))
	})
}

func TestOneRangeLessIsNoticed(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tiles := anyTiles().Draw(t, "tiles")
		i := rapid.IntRange(0, len(tiles)-1).Draw(t, "dropped")
		require.ErrorIs(t, ring.Covers(append(tiles[:i:i], tiles[i+1:]...)), ring.ErrNotTiled)
	})
}
