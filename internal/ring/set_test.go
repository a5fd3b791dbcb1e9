package ring_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/internal/ring"
)

// someOf draws a part of a tiling, and pieces of other tiles.
func someOf(t *rapid.T, tiles []ring.Range) []ring.Range {
	var taken []ring.Range
	for _, tile := range tiles {
		switch rapid.IntRange(0, 3).Draw(t, "how much") {
		case 1:
			taken = append(taken, tile)
		case 2:
			pieces := tile.Split(3)
			taken = append(taken, pieces[rapid.IntRange(0, len(pieces)-1).Draw(t, "piece")])
		}
	}
	return taken
}

func TestWhatIsTakenAndWhatIsLeftTileTheRingTogether(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		taken := someOf(t, anyTiles().Draw(t, "old tiles"))
		left := ring.Without(anyTiles().Draw(t, "new tiles"), taken)
		require.NoError(t, ring.Covers(append(slices.Clone(taken), left...)))
	})
}

func TestWhatIsLeftOfAShareAddsUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		share := ring.Shard(anyTiles().Draw(t, "tiles"), 1, 3)
		taken := someOf(t, ring.Shard(anyTiles().Draw(t, "old tiles"), 1, 3))
		left := ring.Without(share, taken)
		require.Equal(t, width(share), width(taken)+width(left))
		for i := 1; i < len(left); i++ {
			require.LessOrEqual(t, left[i-1].End, left[i].Start)
		}
	})
}

func TestJoinHoldsTheSameTokensInTheFewestRanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ranges := someOf(t, anyTiles().Draw(t, "tiles"))
		joined := ring.Join(rapid.Permutation(ranges).Draw(t, "order"))
		require.Equal(t, width(ranges), width(joined))
		require.Empty(t, ring.Without(ranges, joined))
		for i := 1; i < len(joined); i++ {
			require.Less(t, joined[i-1].End, joined[i].Start)
		}
	})
}

func TestJoinTakesRangesThatOverlap(t *testing.T) {
	require.Equal(t, []ring.Range{{0, 9}, {20, 30}}, ring.Join([]ring.Range{{20, 30}, {3, 9}, {0, 5}, {1, 2}}))
	require.Empty(t, ring.Join(nil))
}
