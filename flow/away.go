package flow

import (
	"slices"
	"time"
)

// awayTime is a time in which a source has learnt nothing of whether rows are written.
type awayTime struct{ from, to time.Time }

// keptAway is how many of these times a source remembers. More that follow each other closely are
// how it always is.
const keptAway = 4

// Away notes that a source which says when a part is idle (Advance.IdleAt) could not know anything
// of the time between two moments, from and to: its requests failed or took very long, so that
// writers may be held up too, or a clock has jumped, to an earlier moment perhaps. A source that
// begins knows nothing of what was before: from is the zero time. The source says so before the
// first page that follows. It goes for all parts of the source. Several goroutines may call it.
func (o *Origin) Away(from, to time.Time) {
	if o == nil {
		return
	}
	if to.Before(from) {
		from = to
	}
	for {
		before := o.away.Load()
		var kept []awayTime
		if before != nil {
			kept = (*before)[max(0, len(*before)-keptAway+1):]
		}
		all := append(slices.Clone(kept), awayTime{from, to})
		if o.away.CompareAndSwap(before, &all) {
			return
		}
	}
}

// IdleUntil returns the moment up to which an idle part is known to have nothing that is still to
// be written, where writers need up to after for it: that is the moment at which it was idle, or
// the beginning of a time that the source was away, until after has passed since, less other such
// times. It is the zero time if nothing is known yet. A time that began later counts for nothing: a
// page may wait for long until an operator takes it.
func (o *Origin) IdleUntil(at time.Time, after time.Duration) time.Time {
	until, passed, next := at, time.Duration(0), at
	for _, away := range slices.Backward(o.awayTimes()) {
		if !away.from.Before(at) {
			continue
		}
		if passed += max(0, next.Sub(away.to)); passed >= after {
			break
		}
		next = away.from
		if next.Before(until) {
			until = next
		}
	}
	return until
}

func (o *Origin) awayTimes() []awayTime {
	if o != nil {
		if all := o.away.Load(); all != nil {
			return *all
		}
	}
	return nil
}
