package ring

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
)

// ErrNotTiled says that a set of ranges does not hold every token exactly
// once; see [Covers].
var ErrNotTiled = errors.New("the ranges do not tile the ring")

// Covers returns nil if ranges, in any order, hold every token of the ring
// exactly once. Otherwise its error wraps [ErrNotTiled] and names the first
// gap, overlap or malformed range in ring order.
func Covers(ranges []Range) error {
	sorted := slices.Clone(ranges)
	slices.SortFunc(sorted, func(a, b Range) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.End, b.End))
	})
	reached := int64(math.MinInt64)
	for _, r := range sorted {
		switch {
		case r.Start >= r.End:
			return fmt.Errorf("%w: %v is empty or wraps around", ErrNotTiled, r)
		case r.Start > reached:
			return fmt.Errorf("%w: nothing holds %v", ErrNotTiled, Range{reached, r.Start})
		case r.Start < reached:
			return fmt.Errorf("%w: %v is held twice", ErrNotTiled, Range{r.Start, min(r.End, reached)})
		}
		reached = r.End
	}
	if reached != math.MaxInt64 {
		return fmt.Errorf("%w: nothing holds %v", ErrNotTiled, Range{reached, math.MaxInt64})
	}
	return nil
}
