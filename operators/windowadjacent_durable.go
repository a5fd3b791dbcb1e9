package operators

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"strconv"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// durableWindows are the windows that were open where an earlier run left a part: they are durable
// as a whole, and rows of theirs that are read again are dropped.
type durableWindows struct {
	hash   []byte // of the key
	lo, hi int64  // as those of a part
	end    int64  // how many rows the part had, if it ended with them and may grow; else -1
}

const windowTimes = 2 * 8 // bytes of lo and hi in a snapshot

// snapshot is what a checkpoint has of them. Nothing of the key can be read from it.
func (d *durableWindows) snapshot(windows string) []byte {
	text := slices.Clone(d.hash)
	text = binary.BigEndian.AppendUint64(text, uint64(d.lo)) //nolint:gosec // and back
	text = binary.BigEndian.AppendUint64(text, uint64(d.hi)) //nolint:gosec // and back
	text = append(text, windows...)
	if d.end >= 0 {
		text = strconv.AppendInt(append(text, atEnd...), d.end, 10)
	}
	return text
}

func readWindows(snapshot []byte, windows string) (*durableWindows, error) {
	if len(snapshot) < hashSize+windowTimes {
		return nil, fmt.Errorf("%w: the snapshot of windows cannot be read", rxcql.ErrCheckpointDamaged)
	}
	times, text := snapshot[hashSize:hashSize+windowTimes], snapshot[hashSize+windowTimes:]
	d := &durableWindows{hash: snapshot[:hashSize:hashSize], end: -1}
	d.lo, d.hi = int64(binary.BigEndian.Uint64(times)), int64(binary.BigEndian.Uint64(times[8:])) //nolint:gosec // as written
	if text, rows, atTheEnd := bytes.Cut(text, []byte(atEnd)); atTheEnd {
		var err error
		if d.end, err = strconv.ParseInt(string(rows), 10, 64); err != nil {
			return nil, fmt.Errorf("%w: the snapshot of windows cannot be read", rxcql.ErrCheckpointDamaged)
		}
		return d, sameWindows(text, windows)
	}
	return d, sameWindows(text, windows)
}

func sameWindows(was []byte, is string) error {
	if string(was) != is {
		return fmt.Errorf("%w: the windows were %s, and are %s", rxcql.ErrCheckpointForeign, was, is)
	}
	return nil
}

// has reports whether the window that begins at start is one of them.
func (d *durableWindows) has(start int64) bool { return d != nil && start >= d.lo && start <= d.hi }

// hasSession reports whether a time is in the session, which then is as long as it makes it.
func (d *durableWindows) hasSession(at, gap int64) bool {
	if d == nil || at <= d.lo-gap || at >= d.hi {
		return false
	}
	d.lo, d.hi = min(d.lo, at), max(d.hi, at+gap)
	return true
}

// pastIs is called with a new key: windows of another key are over.
func (part *adjacentPart[K, S]) pastIs(key K) {
	if part.past != nil && !bytes.Equal(part.past.hash, hashKey(key)) {
		part.past = nil
	}
}

// restore finds out where an earlier run left the part.
func (w *adjacentWindows[T, K, S]) restore(p *flow.Page[T], part *adjacentPart[K, S]) (err error) {
	if part.asked {
		return nil
	}
	part.asked = true
	if snapshot := p.Restored(w.st.Name()); snapshot != nil {
		part.past, err = readWindows(snapshot, w.windows)
	}
	return w.st.Fail(err)
}

// leave is called when the rows of a page have been folded. Some were left out of windows of past,
// which are durable.
func (w *adjacentWindows[T, K, S]) leave(p *flow.Page[T], part *adjacentPart[K, S], past *durableWindows) error {
	// Operators may have dropped rows or made more of them, so it is not known which rows in the
	// page the source had at that end: either all are durable or none.
	if past.end >= 0 {
		if _, to := p.RowSpan(); to > past.end {
			return w.st.Fail(errGrown)
		}
	}
	if len(part.open) == 0 {
		p.Snapshot(w.st.Name(), past.snapshot(w.windows))
	}
	return nil
}

// snapshot leaves with a page, and with a later run, which windows are open at its end.
func (w *adjacentWindows[T, K, S]) snapshot(p *flow.Page[T], part *adjacentPart[K, S]) {
	p.Snapshot(w.st.Name(), w.openWindows(part, part.lo, part.hi, -1))
	if !p.Grows() {
		return
	}
	part.pages = slices.DeleteFunc(part.pages, func(page openedPage) bool {
		if w.isOpen(part, page) {
			return false
		}
		page.reservation.Settle()
		return true
	})
	page := openedPage{key: part.keys, lo: part.lo, hi: part.hi, reservation: w.account.Reservation()}
	page.reservation.Take(p.Reservation, 0)
	part.pages = append(part.pages, page)
}

func (w *adjacentWindows[T, K, S]) openWindows(part *adjacentPart[K, S], lo, hi, end int64) []byte {
	d := durableWindows{hash: hashKey(part.key), lo: lo, hi: hi, end: end}
	return d.snapshot(w.windows)
}

// openedPage is a page of a source that may grow, and the windows that were open at its end. If the
// source ends while one of them is open, this page may be settled without the last one.
type openedPage struct {
	key         int // a number of it in the part
	lo, hi      int64
	reservation *flow.Reservation
}

func (w *adjacentWindows[T, K, S]) isOpen(part *adjacentPart[K, S], page openedPage) bool {
	if page.key != part.keys {
		return false
	}
	return slices.ContainsFunc(part.open, func(open adjacentWindow[S]) bool {
		if w.gap > 0 {
			return open.start < page.hi && page.lo < open.end
		}
		return open.start >= page.lo && open.start <= page.hi
	})
}

// endPart ends the windows that are open at the end of a part.
func (w *adjacentWindows[T, K, S]) endPart(p *flow.Page[T], part *adjacentPart[K, S]) {
	if p.Grows() {
		_, end := p.RowSpan()
		switch {
		case len(part.open) > 0:
			p.Snapshot(w.st.Name(), w.openWindows(part, part.lo, part.hi, end))
			for _, page := range part.pages {
				lo, hi := page.lo, page.hi
				if w.gap > 0 {
					lo, hi = part.lo, part.hi
				}
				if w.isOpen(part, page) {
					page.reservation.Snapshot(w.st.Name(), w.openWindows(part, lo, hi, end))
				}
			}
		case part.past != nil && part.begun:
			past := *part.past
			past.end = end
			p.Snapshot(w.st.Name(), past.snapshot(w.windows))
		}
	}
	part.letGo()
	w.closeAll(part)
}

// letGo gives back the pages of a source that may grow. The windows that are open still have them.
func (part *adjacentPart[K, S]) letGo() {
	for _, page := range part.pages {
		page.reservation.Settle()
	}
	part.pages = nil
}
