package operators_test

import (
	"fmt"
	"math"
	"slices"

	"github.com/rxcql/rxcql/operators"
)

// oracle has all rows, and looks at all of them each time that it says what a Window behind an
// EventTime hands on. All times are in seconds.
type oracle struct {
	size, every                      int // of windows; 0 for sessions
	gap                              int // of sessions
	lateness, outOfOrder, idleAfter  int
	early, earlyAt                   int // 0 for no early results, and when they were due last
	parts                            map[int]*oraclePart
	open, now, over, page, late, all int // open is how many parts have not ended
	windows                          []*oracleWindow
	given                            []string
}

type oraclePart struct{ latest, said, idle int }

type oracleWindow struct {
	key, start, end   int
	times             []int
	told, late        int
	isEnded, wasGiven bool
}

const never = math.MinInt / 4

func newOracle(kind string) *oracle {
	o := &oracle{now: never, over: never, earlyAt: never, parts: map[int]*oraclePart{}}
	switch kind {
	case "Session":
		o.gap = 6
	case "Hopping":
		o.size, o.every = 15, 5
	case uneven:
		o.size, o.every = 13, 5
	default:
		o.size, o.every = 10, 10
	}
	return o
}

// looksAt is what comes of pages: of each, and of the end behind them.
func (o *oracle) looksAt(pages []happening) {
	o.all = partsOf(pages)
	o.open = o.all
	for _, p := range pages {
		for _, at := range p.at {
			if o.isLate(thirdOf(timed{part: p.part, at: at}), at) {
				o.late++
			}
		}
		o.goesOn(o.clock(p))
		o.page++
	}
	o.goesOn(math.MaxInt)
}

// isLate adds a row to its windows, and reports whether it is late for any.
func (o *oracle) isLate(key, at int) (late bool) {
	if o.gap > 0 {
		return o.isLateForSession(key, at)
	}
	for start := -o.every * 20; start <= at; start += o.every {
		end := start + o.size
		switch {
		case end <= at:
		case end <= o.over:
			late = true
		default:
			w := o.window(key, start, end)
			w.times = append(w.times, at)
			if w.isEnded {
				w.late++
			}
		}
	}
	return late
}

func (o *oracle) window(key, start, end int) *oracleWindow {
	for _, w := range o.windows {
		if w.key == key && w.start == start {
			return w
		}
	}
	w := &oracleWindow{key: key, start: start, end: end, isEnded: end <= o.now}
	o.windows = append(o.windows, w)
	return w
}

// isLateForSession is isLate for sessions. Those that are over are kept, since a row inside of one
// is late.
func (o *oracle) isLateForSession(key, at int) bool {
	inside := false
	for _, w := range o.windows {
		if w.key == key && w.start <= at && at < w.end {
			if w.end <= o.over {
				return true
			}
			inside = true
		}
	}
	if !inside && at+o.gap <= o.over {
		return true
	}
	one := &oracleWindow{key: key, start: at, end: at + o.gap, times: []int{at}}
	o.windows = slices.DeleteFunc(o.windows, func(w *oracleWindow) bool {
		if w.key != key || w.end <= o.over || at+o.gap <= w.start || w.end <= at {
			return false
		}
		one.start, one.end = min(one.start, w.start), max(one.end, w.end)
		one.times, one.late, one.wasGiven = append(one.times, w.times...), one.late+w.late, one.wasGiven || w.wasGiven
		return true
	})
	if one.isEnded = one.end <= o.now; one.isEnded {
		one.late++
	}
	o.windows = append(o.windows, one)
	return false
}

// clock is how far event time is behind a page: as far as the part that is most behind.
func (o *oracle) clock(p happening) int {
	part := o.parts[p.part]
	if part == nil {
		part = &oraclePart{latest: never, said: never}
		o.parts[p.part] = part
	}
	for _, at := range p.at {
		part.latest = max(part.latest, at)
	}
	part.said = max(part.said, part.latest-o.outOfOrder)
	switch {
	case p.idle == 0:
		part.idle = 0
	case part.idle == 0:
		part.idle = p.idle
	}
	if p.idle > 0 && p.idle-part.idle >= o.idleAfter {
		part.said = max(part.said, p.idle-o.outOfOrder)
	}
	if p.last {
		part.said = math.MaxInt
		o.open--
	}
	if o.open == 0 || len(o.parts) < o.all { // the end follows, or a part has not begun
		return never
	}
	least := math.MaxInt
	for _, part := range o.parts {
		least = min(least, part.said)
	}
	return least
}

// goesOn hands on what is due when event time is at t.
func (o *oracle) goesOn(t int) {
	if o.lateness > 0 {
		for _, w := range o.windows {
			if w.isEnded && w.end > o.over && w.told != len(w.times) {
				o.give(w, operators.Corrected)
			}
		}
	}
	if t <= o.now {
		return
	}
	o.now = t
	if o.over = max(o.over, t-o.lateness); t == math.MaxInt {
		o.over = t
	}
	for _, w := range o.windows {
		if w.isEnded || w.end > t {
			continue
		}
		if w.isEnded = true; w.wasGiven {
			o.give(w, operators.Corrected)
		} else {
			o.give(w, operators.Final)
		}
	}
	if o.gap == 0 {
		o.windows = slices.DeleteFunc(o.windows, func(w *oracleWindow) bool { return w.end <= o.over })
	}
	o.givesEarly(t)
}

// givesEarly hands on what windows have so far that are not at their end, if event time has come to
// another multiple.
func (o *oracle) givesEarly(t int) {
	if o.early == 0 || t == math.MaxInt {
		return
	}
	before := o.earlyAt
	if o.earlyAt = t - t%o.early; before == never || before == o.earlyAt {
		return
	}
	for _, w := range o.windows {
		if !w.isEnded && w.told != len(w.times) {
			o.give(w, operators.Early)
		}
	}
}

func (o *oracle) give(w *oracleWindow, kind operators.WindowKind) {
	w.told = len(w.times)
	w.wasGiven = w.wasGiven || kind != operators.Early
	o.given = append(o.given, given(o.page, w.key, w.start, w.end, w.times, kind, int64(w.late)))
}

func given(page, key, start, end int, times []int, kind operators.WindowKind, late int64) string {
	return fmt.Sprintf("page %03d: %v of key %d, %d to %d: %v, %d of them late", page, kind, key, start, end, slices.Sorted(slices.Values(times)), late)
}
