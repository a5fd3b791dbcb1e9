package flow

import "maps"

// leastCompact is how many pages wait for one before they are joined. It is more than maxUnsettled.
const leastCompact = 128

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
	clear(t.beyond[len(kept):])
	t.beyond, t.taken = kept, taken
}

// join makes one of two pages, of which the second follows the first, and reports whether it could.
// Where the state is folded, one of them must change nothing. The last page of the part stays
// alone.
func (t *Track) join(p, next *trackedPage) bool {
	if !p.settled || !next.settled || next.last || t.fold != nil && len(p.next) > 0 && len(next.next) > 0 {
		return false
	}
	if t.fold == nil || len(next.next) > 0 {
		p.next = next.next
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
