package source

import (
	"time"

	"github.com/rxcql/rxcql/flow"
)

// tailHeard is what a tail has heard of the servers since the poll before asked for rows.
type tailHeard struct {
	asked   flow.Moment   // when that was
	before  flow.Moment   // when the poll before that did; when this one did if there was none
	silence time.Duration // the longest time without an answer
	since   flow.Moment   // the poll from which on nothing is known of some rows; asked or before
	failing time.Duration // the longest time without an answer of a kind that ended with one that had failed
	lost    time.Duration // all that went by with attempts that failed, and pauses behind them

	last  time.Duration // the latest answer, by the monotonic clock
	pause time.Duration // for which the tail did not ask since, on purpose
	clock tailAnswer    // the latest one about the time, which any node can give
}

// tailAnswer is the latest answer to a kind of request: for the rows of a partition, or the time.
type tailAnswer struct {
	at   time.Duration // by the monotonic clock
	poll flow.Moment   // when the poll asked in which it was
}

// answerOf returns the latest answer of a partition. One that was not read before counts as read in
// the poll before: its bucket may be a new one.
func (r *tailReader[T]) answerOf(of tailPartition) *tailAnswer {
	if r.answers[of] == nil {
		before := r.hears.before
		r.answers[of] = &tailAnswer{before.Now.Sub(r.clock.start), before}
	}
	return r.answers[of]
}

// heard notes an answer to a request that began at a time. It may have failed before, and was made
// again; then asked is when it was made last. last is the latest answer of the same kind. A pause
// before it is no silence, unless there was trouble at its end: then nobody knows when that began.
// Where it has failed, answers of other kinds say nothing: they may be of other nodes.
func (r *tailReader[T]) heard(last *tailAnswer, began, asked time.Time, failed bool) {
	h, now := &r.hears, time.Since(r.clock.start)
	silence := now - h.last
	switch {
	case failed:
		silence = now - last.at
		h.failing = max(h.failing, silence)
		h.lost += asked.Sub(began)
		if last.poll.Now.Before(h.since.Now) {
			h.since = last.poll
		}
	case time.Since(began) <= r.cfg.overlap/4:
		silence -= h.pause
	}
	h.silence = max(h.silence, silence)
	h.last, h.pause, *last = now, 0, tailAnswer{now, h.asked}
}

// noteAway notes a time since the poll before in which writers may have been held up: there was no
// answer for longer than an overlap, which is allowed for in any case. Writers may come a moment
// later than the tail. What was before the first poll is not known. It notes too that the clocks
// have gone ahead by more than an overlap, by steps perhaps.
func (r *tailReader[T]) noteAway() {
	now, before := r.clock.now, r.hears
	asked := flow.Moment{At: time.UnixMilli(now.early).UTC(), Now: r.clock.start.Add(now.at)}
	r.hears = tailHeard{asked: asked, before: before.asked, since: asked, last: before.last, clock: before.clock}
	if r.steady == (clockReading{}) {
		r.hears.before = asked
		r.steady = now
		r.away.Away(flow.Moment{}, asked)
		return
	}
	ahead := time.Duration(now.early-r.steady.early)*time.Millisecond - (now.at - r.steady.at)
	trouble := before.silence+max(0, ahead) > r.cfg.overlap
	jump := ahead > r.cfg.overlap
	if trouble && (!jump || before.silence > r.cfg.overlap) {
		r.noteSilence(&before, before.asked, asked)
	}
	if jump {
		r.away.Ahead(before.asked, asked)
	}
	r.usual.add(pollTook{silence: before.silence, all: asked.Now.Sub(before.asked.Now) - before.lost})
	if trouble || ahead < 0 {
		r.steady = now
	}
}

// noteFailed notes, at the end of a poll, that there was no answer for some of its rows for long
// since a request had failed, where that may have begun before the poll.
func (r *tailReader[T]) noteFailed() {
	if h := &r.hears; h.silence > r.cfg.overlap && h.since.Now.Before(h.asked.Now) {
		r.noteSilence(h, h.since, h.asked)
	}
}

// noteSilence notes a time without an answer. Requests that fail now and then are like slow ones,
// if it takes as long as ever: that may be how it always is.
func (r *tailReader[T]) noteSilence(heard *tailHeard, from, to flow.Moment) {
	if heard.failing > r.cfg.overlap && !r.usual.has(heard) {
		r.away.Away(from, to)
	} else {
		r.away.Slow(from, to)
	}
}

// idleSince returns what a page says of a poll that found nothing: that the part was idle when it
// began, and no later than the rows that it looked for. Rows may go by the later of the clocks.
func (r *tailReader[T]) idleSince() flow.Moment {
	at := min(r.hears.asked.At.UnixMilli()-r.cfg.delay.Milliseconds(), r.top)
	asked := r.hears.asked.Now
	return flow.Moment{At: time.UnixMilli(at).UTC(), Now: asked.Add(-r.unread), NowAtMost: asked.Add(-r.cfg.delay)}
}
