package source

import "time"

// tailHeard is what a tail has heard of the servers since the poll before asked for rows.
type tailHeard struct {
	asked   int64         // when that was, as the clocks said, in milliseconds since 1970
	last    time.Duration // the latest answer, by the monotonic clock; later if the tail has paused since
	silence time.Duration // the longest time without an answer
	failed  bool          // a request has
}

// heard notes an answer, and whether requests for it have failed before.
func (r *tailReader[T]) heard(failed bool) {
	h, now := &r.hears, time.Since(r.clock.start)
	h.silence = max(h.silence, now-h.last)
	h.last = now
	h.failed = h.failed || failed
}

// noteAway notes a time since the poll before in which writers may have been held up: for longer
// than an overlap, which is allowed for in any case, there was no answer, or the clocks have jumped
// by more, by steps perhaps. Writers may come a moment later than the tail. What was before the
// first poll is not known.
func (r *tailReader[T]) noteAway() {
	before, overlap := r.hears, r.cfg.overlap
	r.hears = tailHeard{asked: r.clock.now.early, last: before.last}
	from, to := time.UnixMilli(before.asked).UTC(), time.UnixMilli(r.hears.asked).UTC()
	jump := time.Duration(r.clock.now.early-r.steady.early)*time.Millisecond - (r.clock.now.at - r.steady.at)
	first := r.steady == (clockReading{})
	switch {
	case first:
		r.away.Away(time.Time{}, to)
	case before.silence+jump.Abs() <= overlap:
		return
	case before.failed || jump.Abs() > overlap:
		r.away.Away(from, to)
	default:
		r.away.Slow(from, to)
	}
	r.steady = r.clock.now
}
