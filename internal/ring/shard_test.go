package ring_test

import (
	"math"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/internal/ring"
)

func width(ranges []ring.Range) (sum uint64) {
	for _, r := range ranges {
		sum += r.Width()
	}
	return sum
}

func TestSharesOfAnyTilingTileTheRingTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tiles := anyTiles().Draw(t, "tiles")
		n := rapid.IntRange(1, 500).Draw(t, "n") // often more than there are ranges
		var all []ring.Range
		narrowest, widest := uint64(math.MaxUint64), uint64(0)
		for i := range n {
			share := ring.Shard(tiles, i, n)
			require.NotEmpty(t, share, "share %d of %d", i, n)
			narrowest, widest = min(narrowest, width(share)), max(widest, width(share))
			all = append(all, share...)
		}
		require.NoError(t, ring.Covers(all))
		require.LessOrEqual(t, widest-narrowest, uint64(1))
		require.LessOrEqual(t, len(all), len(tiles)+n-1)
	})
}

func TestASharedShareAddsUpToTheShare(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		outer := ring.Shard(anyTiles().Draw(t, "tiles"), 1, 3)
		n := rapid.IntRange(1, 9).Draw(t, "n")
		var sum uint64
		for i := range n {
			sum += width(ring.Shard(outer, i, n))
		}
		require.Equal(t, width(outer), sum)
	})
}

func TestAShareIsTheSameTokensHoweverTheRingIsTiled(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 500).Draw(t, "n")
		i := rapid.IntRange(0, n-1).Draw(t, "i")
		one, other := ring.Shard(anyTiles().Draw(t, "tiles"), i, n), ring.Shard(anyTiles().Draw(t, "other tiles"), i, n)
		require.Equal(t, one[0].Start, other[0].Start)
		require.Equal(t, one[len(one)-1].End, other[len(other)-1].End)
		require.Equal(t, width(one), width(other), "without gaps")
	})
}

func TestOneShareOfOneIsEverythingAsItWas(t *testing.T) {
	tiles := ring.Tile([]int64{-7, 9}, 5)
	require.Equal(t, tiles, ring.Shard(tiles, 0, 1))
}

func TestSharesThatDoNotExistPanic(t *testing.T) {
	for _, c := range []struct{ i, n int }{{0, 0}, {-1, 2}, {2, 2}, {0, -1}} {
		require.Panics(t, func() { ring.Shard([]ring.Range{ring.Whole}, c.i, c.n) }, "%d of %d", c.i, c.n)
	}
	require.Panics(t, func() { ring.Shard([]ring.Range{ring.Whole, {0, 1}}, 0, 2) }, "overlapping ranges")
}
