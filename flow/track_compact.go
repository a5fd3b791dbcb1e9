package flow

import (
	"maps"
	"slices"
)

// leastCompact is how many pages wait for one before they are joined. It is more than maxUnsettled.
const leastCompact = 128

// Shorten is for a source with a Fold, and says that what pages were delivered with may be appended
// one to the other, and be folded all at once. Then pages that wait behind one that is held for
// long are joined. shorten returns something shorter that has the same effect, or what it was given
// if there is none. It must not block. Without it each of these pages takes memory for what it was
// delivered with. Call it before the first page is delivered.
func (t *Track) Shorten(shorten func(records []byte) []byte) { t.shorten = shorten }

// compact joins pages that are settled with settled ones right before them, when there are twice as
// many as the last time. So what waits for a page that is held for long takes no more than the
// pages that are held: a tail that is asked each second has 86,400 pages a day, and a Filter may
// drop the rows of most. The caller holds mu.
func (t *Track) compact() {
	if len(t.beyond) >= max(leastCompact, t.compactAt) {
		t.joinSettled()
		t.compactAt = 2 * len(t.beyond)
	}
}

func (t *Track) joinSettled() {
	kept, taken := t.beyond[:0], 0
	for i, p := range t.beyond {
		if n := len(kept) - 1; n >= 0 && i != t.taken && t.join(kept[n], p) {
			continue
		}
		kept = append(kept, p)
		if i < t.taken {
			taken++
		}
	}
	for _, p := range kept {
		if p.grown && len(p.next) >= 2*p.shortened { // so it costs a constant for each byte
			p.next, p.grown = t.shorten(p.next), false
			p.shortened = len(p.next)
		}
	}
	clear(t.beyond[len(kept):])
	t.beyond, t.taken = kept, taken
}

// join makes one of two pages, of which the second follows the first, and reports whether it could.
// Where the state is folded and nothing is known of what they change, one of them must change
// nothing. The last page of the part stays alone.
func (t *Track) join(p, next *trackedPage) bool {
	both := t.fold != nil && len(p.next) > 0 && len(next.next) > 0
	switch {
	case !p.settled || !next.settled || next.last || both && t.shorten == nil:
		return false
	case both:
		if !p.grown { // what it was delivered with belongs to the source
			p.next, p.grown = slices.Clip(p.next), true
		}
		p.next = append(p.next, next.next...)
		p.shortened = max(p.shortened, next.shortened)
	case t.fold == nil || len(next.next) > 0:
		p.next, p.grown, p.shortened = next.next, next.grown, next.shortened
	}
	p.joined += 1 + next.joined
	p.rows += next.rows
	if len(next.snapshots) > 0 {
		if p.snapshots == nil {
			p.snapshots = map[string][]byte{}
		}
		maps.Copy(p.snapshots, next.snapshots)
	}
	return true
}
