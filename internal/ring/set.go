package ring

import (
	"cmp"
	"slices"
)

// Join sorts ranges and joins those that touch or overlap: the shortest list
// that holds the same tokens. The input is not changed.
func Join(ranges []Range) []Range {
	sorted := slices.Clone(ranges)
	slices.SortFunc(sorted, func(a, b Range) int { return cmp.Compare(a.Start, b.Start) })
	joined := sorted[:0]
	for _, r := range sorted {
		if n := len(joined); n > 0 && r.Start <= joined[n-1].End {
			joined[n-1].End = max(joined[n-1].End, r.End)
			continue
		}
		joined = append(joined, r)
	}
	return joined
}

// Without returns what is left of ranges, which must not overlap, without the
// tokens in taken. A range that holds taken tokens is cut; order is kept.
func Without(ranges, taken []Range) []Range {
	taken = Join(taken)
	var left []Range
	for _, r := range ranges {
		i, _ := slices.BinarySearchFunc(taken, r.Start, func(t Range, start int64) int {
			if t.End <= start {
				return -1
			}
			return 1
		})
		for ; i < len(taken) && taken[i].Start < r.End && r.Start < r.End; i++ {
			if taken[i].Start > r.Start {
				left = append(left, Range{r.Start, taken[i].Start})
			}
			r.Start = max(r.Start, taken[i].End)
		}
		if r.Start < r.End {
			left = append(left, r)
		}
	}
	return left
}
