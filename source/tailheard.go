package source

import (
	"time"

	"github.com/rxcql/rxcql/flow"
)

// tailHeard is what a tail has heard of the servers since the poll before asked for rows.
type tailHeard struct {
	asked   flow.Moment   // when that was
	last    time.Duration // the latest answer, by the monotonic clock
	pause   time.Duration // for which the tail did not ask since, on purpose
	silence time.Duration // the longest time without an answer
	failed  bool          // a request has
}

// heard notes an answer, and whether requests for it have failed before. A pause is no silence,
// unless there was trouble at its end: then nobody knows when that began.
func (r *tailReader[T]) heard(failed bool) {
	h, now := &r.hears, time.Since(r.clock.start)
	silence := now - h.last
	if waited := silence - h.pause; !failed && waited <= r.cfg.overlap/4 {
		silence = waited
	}
	h.silence = max(h.silence, silence)
	h.last, h.pause = now, 0
	h.failed = h.failed || failed
}

// noteAway notes a time since the poll before in which writers may have been held up: there was no
// answer for longer than an overlap, which is allowed for in any case. Writers may come a moment
// later than the tail. What was before the first poll is not known. It notes too that the clocks
// have gone ahead by more than an overlap, by steps perhaps.
func (r *tailReader[T]) noteAway() {
	now, before := r.clock.now, r.hears
	asked := flow.Moment{At: time.UnixMilli(now.early).UTC(), Now: r.clock.start.Add(now.at)}
	r.hears = tailHeard{asked: asked, last: before.last}
	if r.steady == (clockReading{}) {
		r.steady = now
		r.away.Away(flow.Moment{}, asked)
		return
	}
	ahead := time.Duration(now.early-r.steady.early)*time.Millisecond - (now.at - r.steady.at)
	trouble := before.silence+max(0, ahead) > r.cfg.overlap
	switch {
	case !trouble:
	case ahead > r.cfg.overlap && before.silence <= r.cfg.overlap:
		r.away.Ahead(before.asked, asked)
	case before.failed || ahead > r.cfg.overlap:
		r.away.Away(before.asked, asked)
	default:
		r.away.Slow(before.asked, asked)
	}
	if trouble || ahead < -r.cfg.overlap {
		r.steady = now
	}
}

// idleSince returns what a page says of a poll that found nothing: that the part was idle when it
// began, and no later than the rows that it looked for.
func (r *tailReader[T]) idleSince() flow.Moment {
	at := min(r.hears.asked.At.UnixMilli()-r.cfg.delay.Milliseconds(), r.top)
	moment := flow.Moment{At: time.UnixMilli(at).UTC()}
	moment.Now = r.hears.asked.Now.Add(moment.At.Sub(r.hears.asked.At))
	return moment
}
