package ring_test

import (
	"math"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/internal/ring"
)

// anyToken prefers the tokens at which arithmetic goes wrong.
func anyToken() *rapid.Generator[int64] {
	return rapid.OneOf(
		rapid.Int64(),
		rapid.SampledFrom([]int64{math.MinInt64, math.MinInt64 + 1, -1, 0, 1, math.MaxInt64 - 1, math.MaxInt64}),
	)
}

func anyTiles() *rapid.Generator[[]ring.Range] {
	return rapid.Custom(func(t *rapid.T) []ring.Range {
		return ring.Tile(rapid.SliceOfN(anyToken(), 0, 40).Draw(t, "tokens"), rapid.IntRange(-3, 300).Draw(t, "splits"))
	})
}

func TestAnyTokensAndSplitsTileTheRingExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tokens := rapid.SliceOfN(anyToken(), 0, 40).Draw(t, "tokens")
		splits := rapid.IntRange(-3, 300).Draw(t, "splits")
		tiles := ring.Tile(tokens, splits)

		require.NoError(t, ring.Covers(tiles))
		require.True(t, slices.IsSortedFunc(tiles, func(a, b ring.Range) int {
			if a.Start < b.Start {
				return -1
			}
			return 1
		}))
		require.GreaterOrEqual(t, len(tiles), splits)
		require.LessOrEqual(t, len(tiles), max(splits, 1)+len(tokens))
		for _, token := range tokens {
			if token == math.MinInt64 {
				continue // the ring's lower end; no row is there
			}
			require.True(t, slices.ContainsFunc(tiles, func(r ring.Range) bool { return r.End == token }), "a border at %d", token)
		}
	})
}

func TestEveryTokenIsInExactlyOneRange(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tiles := anyTiles().Draw(t, "tiles")
		token := anyToken().Draw(t, "token")
		held := 0
		for _, r := range tiles {
			if r.Contains(token) {
				held++
			}
		}
		if token == math.MinInt64 {
			require.Zero(t, held)
		} else {
			require.Equal(t, 1, held)
		}
	})
}

func TestRangesWithoutNodesBetweenAreSplitEvenly(t *testing.T) {
	tiles := ring.Tile(nil, 7)
	require.Len(t, tiles, 7)
	requireEven(t, tiles)
}

func TestWiderRangesAreSplitMoreOften(t *testing.T) {
	const border = math.MinInt64 / 2 // a quarter of the ring, and a token over, is below
	tiles := ring.Tile([]int64{border}, 8)
	require.Len(t, tiles, 9)
	require.Equal(t, int64(border), tiles[2].End)
	requireEven(t, tiles[:3])
	requireEven(t, tiles[3:])
}

func TestASplitCountWithoutBoundIsBounded(t *testing.T) {
	tiles := ring.Tile([]int64{0}, math.MaxInt)
	require.NoError(t, ring.Covers(tiles))
	require.LessOrEqual(t, len(tiles), ring.MaxTiles+1)
}

func TestTilingLeavesTheTokensAsTheyWere(t *testing.T) {
	tokens := []int64{5, -5, 5, 0}
	ring.Tile(tokens, 3)
	require.Equal(t, []int64{5, -5, 5, 0}, tokens)
}

func TestSplittingAnyRangeKeepsItsTokens(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := anyToken().Draw(t, "a")
		b := anyToken().Filter(func(token int64) bool { return token != a }).Draw(t, "b")
		r := ring.Range{Start: min(a, b), End: max(a, b)}
		parts := r.Split(rapid.IntRange(-1, 50).Draw(t, "n"))
		at := r.Start
		for _, part := range parts {
			require.Equal(t, at, part.Start)
			require.Less(t, part.Start, part.End)
			at = part.End
		}
		require.Equal(t, r.End, at)
		requireEven(t, parts)
	})
}

func TestARangeNarrowerThanItsSplitsBecomesSingleTokens(t *testing.T) {
	require.Equal(t, []ring.Range{{7, 8}, {8, 9}}, ring.Range{Start: 7, End: 9}.Split(5))
}

func requireEven(t require.TestingT, ranges []ring.Range) {
	narrowest, widest := uint64(math.MaxUint64), uint64(0)
	for _, r := range ranges {
		narrowest, widest = min(narrowest, r.Width()), max(widest, r.Width())
	}
	require.LessOrEqual(t, widest-narrowest, uint64(1))
}
