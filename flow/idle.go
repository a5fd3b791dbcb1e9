package flow

import (
	"slices"
	"time"
)

// Idle is what a page says of a part that is idle: the source has asked for more at a moment, the
// request has succeeded, and there was nothing. Only the source can say so (IdleLog); that no page
// comes says nothing, since it may have another cause (a sink that is slow, retries, the budget).
//
// It knows what the source knew when it made the page, and never changes: a page may wait for long
// until an operator takes it. So operators hand it on as it is. A nil *Idle is that of a part which
// is not idle.
type Idle struct {
	at   Moment
	away []awayTime // those that the source knew of, in the order in which it came to know of them
}

// Moment is when a source has asked for rows.
type Moment struct {
	// At is the time by the clocks that rows and their parts go by. It may jump.
	At time.Time
	// Now is what time.Now said, which has a monotonic reading. A source that asks for rows of a
	// while ago has that much less in both.
	Now time.Time
	// NowAtMost is set if the source does not know how long ago that is, since clocks differ: Now is
	// the earliest then, and this the latest.
	NowAtMost time.Time
}

// begun returns when a part has been idle since, if the moment is the first that says so.
func (m *Moment) begun() time.Time { return later(m.Now, m.NowAtMost) }

// awayTime is a time in which a source has learnt nothing of whether rows are written.
type awayTime struct {
	hold     time.Time     // where event time stays
	jump     time.Time     // where it stays also if slow polls are usual; zero if no clock went ahead
	from, to time.Time     // as time.Now says
	good     time.Duration // how much between them is a good time, see IdleLog.halve
	slow     int           // how many polls it is that took long, see IdleLog.Slow; 0 for others
}

// breaks reports whether slow polls around it do not follow each other at once.
func (a *awayTime) breaks() bool { return a.slow == 0 && a.from.Before(a.to) }

// slowIsUsual is how many slow polls follow each other at once where that is how it always is.
const slowIsUsual = 4

// IdleAt returns an Idle of a moment, of a source that was never away. That of the zero time is
// nil.
func IdleAt(at time.Time) *Idle { return new(IdleLog).At(Moment{At: at, Now: at}) }

// At returns the moment at which the source has asked, the zero time if the part is not idle.
func (i *Idle) At() time.Time {
	if i == nil {
		return time.Time{}
	}
	return i.at.At
}

// Until returns the moment up to which nothing is known to be still to come, where writers need up
// to after for it: the moment at which the source has asked, or the beginning of a time that it was
// away since. since is what the first page said since which the part has been idle. It is false if
// that has not been so for after yet, less the times that the source was away.
func (i *Idle) Until(since *Idle, after time.Duration) (until time.Time, is bool) {
	until, begun := i.at.At, since.at.begun()
	passed, next, slow := time.Duration(0), i.at.Now, 0
	for _, away := range slices.Backward(i.away) {
		if !away.hold.Before(i.at.At) && !away.from.Before(i.at.Now) { // the source asked for the past
			continue
		}
		good := max(0, next.Sub(later(away.to, begun)))
		if passed += good; passed >= after || !away.to.After(begun) {
			return until, passed >= after
		}
		if good > 0 || away.breaks() {
			slow = 0
		}
		end := earlier(away.to, next) // what is behind that was counted
		next = earlier(away.from, next)
		overlap := max(0, away.to.Sub(end))
		if away.slow > 0 {
			switch {
			case !next.Before(end): // the same poll
			case overlap > 0 && away.slow > 1: // the last of these polls was counted
				slow += away.slow - 1
			default:
				slow += away.slow
			}
			if slow > slowIsUsual { // it is no time away, if what was before is none
				if !away.jump.IsZero() {
					until = earlier(until, away.jump)
				}
				passed += max(0, end.Sub(later(next, begun)))
				continue
			}
		}
		until = earlier(until, away.hold)
		passed += max(0, away.good-overlap) // which may be of it
	}
	return until, passed+max(0, next.Sub(begun)) >= after
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

// IdleLog is what a source remembers of the times in which it learnt nothing of whether rows are
// written, so that event time does not go on over them (operators.IdleAfter): writers may have been
// held up too, and may need a moment. It takes 110 KiB at most. The zero IdleLog is that of a
// source that was never away. One goroutine at a time may use it.
type IdleLog struct {
	away []awayTime
	gone time.Time // the end of the latest time that was noted by Away
}

// mostAway is how many times a log has at most.
const mostAway = 1000

// Away notes that the source could not know anything of the time between two moments: its requests
// failed. A source that begins knows nothing of what was before: from is the zero Moment.
func (l *IdleLog) Away(from, to Moment) {
	l.note(awayTime{hold: from.At, from: from.Now, to: to.Now})
	l.gone = later(l.gone, to.Now)
}

// Slow notes that the source has waited for long between two moments, as it may always do: requests
// took long, or fail now and then, a sink stalled, or the source seldom asks. It is Away, except
// that more than four of these times, one right behind the other, are how it always is: event time
// goes on, four of them behind. Times that overlap count once. One that overlaps a time noted by
// Away is Away.
func (l *IdleLog) Slow(from, to Moment) {
	away := awayTime{hold: from.At, from: from.Now, to: to.Now, slow: 1}
	if from.Now.Before(l.gone) {
		away.slow = 0
	}
	l.note(away)
}

// Ahead notes that the clocks have gone ahead between two moments, by more than they should. The
// time between them is a good one all the same.
func (l *IdleLog) Ahead(from, to Moment) {
	l.note(awayTime{hold: from.At, jump: from.At, from: to.Now, to: to.Now})
}

func (l *IdleLog) note(away awayTime) {
	if len(l.away) == mostAway {
		l.halve()
	}
	l.away = append(l.away, away) // behind all that an Idle has of it
}

// halve takes two times that follow each other for one. Where in it the good time is between them
// is no longer known.
func (l *IdleLog) halve() {
	half := make([]awayTime, 0, mostAway)
	for pair := range slices.Chunk(l.away, 2) {
		one := pair[0]
		for _, next := range pair[1:] {
			between := max(0, next.from.Sub(one.to))
			one.good = max(0, one.good-max(0, one.to.Sub(next.from))) // what overlaps may be of it
			switch {
			case between > 0 || one.breaks() || next.breaks():
				one.slow = 0
			case next.from.Before(one.to): // they overlap
				one.slow = max(one.slow, next.slow)
			default:
				one.slow += next.slow
			}
			if one.jump.IsZero() || !next.jump.IsZero() && next.jump.Before(one.jump) {
				one.jump = next.jump
			}
			one.hold, one.from = earlier(one.hold, next.hold), earlier(one.from, next.from)
			one.to, one.good = next.to, one.good+between+next.good
		}
		half = append(half, one)
	}
	l.away = half
}

// At returns what a page says of a part that was idle at a moment, nil if At of that is zero.
func (l *IdleLog) At(m Moment) *Idle {
	if m.At.IsZero() {
		return nil
	}
	return &Idle{at: m, away: l.away[:len(l.away):len(l.away)]}
}
