package ring

import (
	"math"
	"math/bits"
	"slices"
)

// MaxTiles bounds the ranges that [Tile] makes because of a split count: a larger count is taken as
// this one. A range costs at least one query, and a million of them is more than any use needs.
const MaxTiles = 1 << 20

// Tile cuts the ring into at least splits ranges, in ring order. There is a border at every token
// of a node, so that each range lives on one set of replicas. A range between two nodes is cut
// further, the more often the wider it is. There are at most splits + the number of tokens.
//
// Tokens come in any order, duplicates and the two ends of the ring included; there may be none.
// The borders do not promise which node owns what: with tokens out of date the ranges still tile
// the ring exactly.
func Tile(tokens []int64, splits int) []Range {
	splits = min(max(splits, 1), MaxTiles)
	borders := slices.Clone(tokens)
	borders = append(borders, math.MaxInt64)
	slices.Sort(borders)
	borders = slices.Compact(borders)
	if borders[0] == math.MinInt64 {
		borders = borders[1:]
	}

	tiles := make([]Range, 0, splits+len(borders))
	start := int64(math.MinInt64)
	for _, end := range borders {
		r := Range{Start: start, End: end}
		tiles = r.appendSplit(tiles, parts(r.Width(), uint64(splits)))
		start = end
	}
	return tiles
}

// parts is the share of n cuts that falls to a range of this width, rounded
// up, so that the shares of all ranges add up to n or more.
func parts(width, n uint64) uint64 {
	hi, lo := bits.Mul64(width, n)
	quotient, rest := bits.Div64(hi, lo, Whole.Width())
	if rest > 0 {
		quotient++
	}
	return quotient
}
