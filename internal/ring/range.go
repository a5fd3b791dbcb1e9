// Package ring knows the token ring of Cassandra's Murmur3Partitioner: its
// ranges, how to split and share them out, and which token a key has.
//
// Ranges never wrap. The ring is the interval (-2^63, 2^63-1], cut into
// half-open ranges that tile it. The value -2^63 itself belongs to none of
// them, and loses nothing: the partitioner gives it to no row (see [Token]).
package ring

import (
	"fmt"
	"math"
	"math/bits"
)

// Whole is the ring as one range.
var Whole = Range{Start: math.MinInt64, End: math.MaxInt64}

// Range holds the tokens t with Start < t <= End, which is what
// `token(k) > Start AND token(k) <= End` selects. Start is less than End.
type Range struct{ Start, End int64 }

// Contains reports whether token lies in r.
func (r Range) Contains(token int64) bool { return r.Start < token && token <= r.End }

// Width is the number of tokens in r. It needs all 64 bits: the whole ring
// has 2^64-1 tokens.
func (r Range) Width() uint64 { return uint64(r.End) - uint64(r.Start) }

// String gives r in interval notation, such as (-100, 250].
func (r Range) String() string { return fmt.Sprintf("(%d, %d]", r.Start, r.End) }

// Split cuts r into n ranges whose widths differ by one token at most, in ring
// order. A range narrower than n is cut into single tokens, and an n below two
// leaves it whole.
func (r Range) Split(n int) []Range {
	return r.appendSplit(nil, uint64(max(n, 1)))
}

func (r Range) appendSplit(to []Range, n uint64) []Range {
	width := r.Width()
	n = min(n, width)
	start := r.Start
	for i := uint64(1); i <= n; i++ {
		end := r.Start + int64(scale(width, i, n))
		to = append(to, Range{Start: start, End: end})
		start = end
	}
	return to
}

// scale gives width*i/n rounded down, for i <= n. The product needs 128 bits;
// its upper half is less than i, so the quotient always fits.
func scale(width, i, n uint64) uint64 {
	hi, lo := bits.Mul64(width, i)
	quotient, _ := bits.Div64(hi, lo, n)
	return quotient
}
