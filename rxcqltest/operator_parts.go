package rxcqltest

import (
	"fmt"
	"testing"

	"github.com/rxcql/rxcql/flow"
)

// partRules are about what pages say of the parts of the source.
func partRules[A, B any]() []rule[OperatorPlace[A, B]] {
	heard := func(t testing.TB, p OperatorPlace[A, B]) *heard[A, B] {
		h := newHeard(t, p)
		h.listen(t)
		return h
	}
	return []rule[OperatorPlace[A, B]]{
		{"A page is of the source and of the part that its rows are of, or says that they are mixed", func(t testing.TB, p OperatorPlace[A, B]) {
			if h := heard(t, p); h.misplaced != "" {
				t.Fatal(h.misplaced)
			}
		}},
		{"Neither the end of a part nor a watermark overtakes a row", func(t testing.TB, p OperatorPlace[A, B]) {
			if h := heard(t, p); h.overtaken != "" {
				t.Fatal(h.overtaken)
			}
		}},
		{"The end of each part and its watermark are handed on, with pages without rows too", func(t testing.TB, p OperatorPlace[A, B]) {
			h := heard(t, p)
			for part := range jobParts {
				if p.Ends {
					continue
				}
				if !h.last[part] {
					t.Fatalf("part %d has ended, and no page said so: hand on a page that is the last, without rows where it has none", part)
				}
				if want := flow.WatermarkAt(eventTime((part + 1) * partRows)); h.marks[part] != want && !p.SetsWatermarks {
					t.Fatalf("event time of part %d has come to %v, and the last page to say so said %v", part, want, h.marks[part])
				}
			}
		}},
	}
}

// heard is what the pages have said. Pages of sources that the operator has brought along are
// not looked at.
type heard[A, B any] struct {
	*operatorRun[A, B]
	marks [jobParts]flow.Watermark
	last  [jobParts]bool
	over  bool // all parts have ended

	other *flow.Origin         // another source, without rows
	quiet map[int]flow.Advance // the last of each of its parts
	begun bool                 // it was said that it begins

	misplaced string
	overtaken string
	passed    string // by the end of all parts
}

func (h *heard[A, B]) hear(rows []B, said flow.Advance) {
	for _, n := range h.place.numbers(rows) {
		h.row(n, said)
	}
	switch {
	case said.Range == flow.AllParts:
		h.over = h.over || said.Last && said.Source != nil && said.Source.Name == "Numbers"
		h.begun = h.begun || !said.Last && said.Source == h.other
	case said.Range < 0 && (said.Source != nil || said.Says()):
		h.misplaced = fmt.Sprintf("a page whose rows are of several parts says %+v, as if it were of one", said)
	case said.Range < 0:
	case said.Source == nil:
		h.misplaced = fmt.Sprintf("page %d of part %d does not say of which source it is", said.Page, said.Range)
	case said.Source == h.other && said.Last: // with the stream
	case said.Source == h.other:
		h.quiet[said.Range] = said
	case said.Source.Name == "Numbers" && said.Range < jobParts:
		h.last[said.Range] = h.last[said.Range] || said.Last
		if h.marks[said.Range].Before(said.Watermark) {
			h.marks[said.Range] = said.Watermark
		}
	}
}

func (h *heard[A, B]) row(n int, said flow.Advance) {
	part := n / partRows
	switch {
	case said.Range >= 0 && said.Range != part && h.misplaced == "":
		h.misplaced = fmt.Sprintf("row %d is of part %d, and its page says that it is of part %d", n, part, said.Range)
	case h.over:
		h.passed = fmt.Sprintf("row %d came behind the end of all parts of its source", n)
	case h.last[part]:
		h.overtaken = fmt.Sprintf("row %d came behind the end of its part", n)
	case flow.WatermarkAt(eventTime(n)).Before(h.marks[part]):
		h.overtaken = fmt.Sprintf("row %d came behind a watermark of its part: that said %v, and the row is of %v", n, h.marks[part], eventTime(n).UTC())
	}
}
