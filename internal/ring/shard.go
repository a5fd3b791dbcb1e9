package ring

import (
	"fmt"
	"math"
)

// Shard gives share i of n, with i from 0: the n shares are disjoint, their
// union is the union of ranges, and their widths differ by one token at most.
// A range on the border of two shares is cut in two, so a share is empty only
// if there are fewer tokens than shares. The ranges must be disjoint, as those
// of [Tile] are; each share keeps their order.
//
// Shard panics unless 0 <= i < n: an empty result would look like a share with nothing to do, and
// its rows would be lost silently.
func Shard(ranges []Range, i, n int) []Range {
	if n < 1 || i < 0 || i >= n {
		panic(fmt.Sprintf("ring: share %d of %d does not exist", i, n))
	}
	var total uint64
	for _, r := range ranges {
		if r.Width() > math.MaxUint64-total {
			panic("ring: the ranges to share out overlap")
		}
		total += r.Width()
	}
	from := scale(total, uint64(i), uint64(n))
	to := scale(total, uint64(i)+1, uint64(n))

	var share []Range
	var at uint64 // tokens in the ranges before r
	for _, r := range ranges {
		width := r.Width()
		low, high := max(from, at), min(to, at+width)
		if low < high {
			share = append(share, Range{
				Start: r.Start + int64(low-at),
				End:   r.Start + int64(high-at),
			})
		}
		at += width
	}
	return share
}
