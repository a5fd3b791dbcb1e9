package flow

import (
	"fmt"

	"github.com/rxcql/rxcql/internal/ring"
)

// TokenRange is a part of a source: the tokens t with Start < t <= End. A source without tokens is
// one part, WholeRange.
type TokenRange struct{ Start, End int64 }

// WholeRange holds every token.
var WholeRange = TokenRange{Start: -1 << 63, End: 1<<63 - 1}

// String returns interval notation, such as (-100, 250]; "all" for WholeRange.
func (r TokenRange) String() string {
	if r == WholeRange {
		return "all"
	}
	return fmt.Sprintf("(%d, %d]", r.Start, r.End)
}

// Remaining returns what of parts is still to be read: without the ranges done and the parts that
// have begun. A part that these cut is returned in pieces.
func Remaining(parts, done []TokenRange, begun []*Track) []TokenRange {
	var taken, all []ring.Range
	for _, r := range done {
		taken = append(taken, ring.Range(r))
	}
	for _, t := range begun {
		taken = append(taken, ring.Range(t.from.Range))
	}
	for _, r := range parts {
		all = append(all, ring.Range(r))
	}
	var left []TokenRange
	for _, r := range ring.Without(all, taken) {
		left = append(left, TokenRange(r))
	}
	return left
}
