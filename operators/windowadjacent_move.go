package operators

import (
	"slices"
	"time"
)

// moveTo makes the open windows those that a time is in. It returns to which side they have moved.
func (w *adjacentWindows[T, K, S]) moveTo(part *adjacentPart[K, S], at int64) (direction int) {
	known := part.from < part.to
	if w.gap > 0 {
		return w.moveSession(part, at, known)
	}
	lo, hi := w.grid.Of(at)
	switch {
	case known:
		direction = side(lo, hi, part.lo, part.hi)
	case part.past != nil: // the first row that a run which goes on has of the key
		direction = side(lo, hi, part.past.lo, part.past.hi)
	}
	part.lo, part.hi = lo, hi
	part.from, part.to = max(hi, lo-w.grid.Every+w.grid.Size), min(hi+w.grid.Every, lo+w.grid.Size)
	part.again = false
	if direction != 0 && lo == hi && len(part.open) == 1 && part.past == nil { // one after the other
		w.end(part, &part.open[0])
		part.open[0] = adjacentWindow[S]{start: lo, end: lo + w.grid.Size, value: w.seed()}
		return direction
	}
	w.close(part, direction, func(open *adjacentWindow[S]) bool { return open.start < lo || open.start > hi })
	i := 0
	for start := lo; start <= hi; start += w.grid.Every {
		if i < len(part.open) && part.open[i].start == start {
			i++
			continue
		}
		if part.past.has(start) {
			part.again = true
			continue
		}
		part.open = slices.Insert(part.open, i, adjacentWindow[S]{start: start, end: start + w.grid.Size, value: w.seed()})
		i++
	}
	return direction
}

// side is where windows from lo to hi are, seen from those from wasLo to wasHi.
func side(lo, hi, wasLo, wasHi int64) (direction int) {
	switch {
	case lo > wasLo || hi > wasHi:
		return 1
	case lo < wasLo || hi < wasHi:
		return -1
	}
	return 0
}

// moveSession makes the open session the one that a time is in.
func (w *adjacentWindows[T, K, S]) moveSession(part *adjacentPart[K, S], at int64, known bool) (direction int) {
	if part.again = len(part.open) == 0 && part.past.hasSession(at, w.gap); part.again {
		part.lo, part.hi, part.from, part.to = at, at, 0, 0 // asked for each row
		return 0
	}
	if known && at > part.lo-w.gap && at < part.hi {
		part.lo, part.hi = min(part.lo, at), max(part.hi, at+w.gap)
		if part.was.hi > part.was.lo && at > part.was.lo-w.gap && at < part.was.hi { // it would be in both
			return side(part.was.lo, part.was.lo, part.lo, part.lo)
		}
	} else {
		switch {
		case known:
			direction = side(at, at, part.lo, part.lo)
			part.was.lo, part.was.hi = part.lo, part.hi
		case part.past != nil:
			direction = side(at, at, part.past.lo, part.past.lo)
			part.was.lo, part.was.hi = part.past.lo, part.past.hi
		}
		w.closeAll(part)
		part.lo, part.hi = at, at+w.gap
		part.open = append(part.open, adjacentWindow[S]{value: w.seed()})
	}
	part.open[0].start, part.open[0].end = part.lo, part.hi
	part.from, part.to = part.lo, part.hi-w.gap+1 // others make it longer
	return direction
}

// closeAll ends all open windows of a part.
func (w *adjacentWindows[T, K, S]) closeAll(part *adjacentPart[K, S]) {
	w.close(part, w.direction, func(*adjacentWindow[S]) bool { return true })
}

// close ends open windows, in the direction of times.
func (w *adjacentWindows[T, K, S]) close(part *adjacentPart[K, S], direction int, which func(*adjacentWindow[S]) bool) {
	for i := range part.open {
		if direction < 0 {
			i = len(part.open) - 1 - i
		}
		if which(&part.open[i]) {
			w.end(part, &part.open[i])
		}
	}
	kept := part.open[:0]
	for i := range part.open {
		if !which(&part.open[i]) {
			kept = append(kept, part.open[i])
		}
	}
	clear(part.open[len(kept):])
	part.open = kept
}

// end keeps the result of a window for handOn, and its receipts.
func (w *adjacentWindows[T, K, S]) end(part *adjacentPart[K, S], open *adjacentWindow[S]) {
	w.ended = append(w.ended, WindowResult[K, S]{
		Key: part.key, Start: time.UnixMicro(open.start).UTC(), End: time.UnixMicro(open.end).UTC(), Value: open.value, Rows: open.rows, Kind: Final,
	})
	switch {
	case open.reservation == nil:
	case w.held == nil:
		w.held = open.reservation
	default:
		w.held.Take(open.reservation, 0)
		open.reservation.Settle()
	}
	open.reservation = nil
}
