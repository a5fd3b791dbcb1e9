package rxcql

import (
	"math"
	"sync"
	"time"
)

const (
	// almostAll is the largest fraction of a run that is not complete.
	almostAll = 0.999
	// tiny is more than the sum of fractions is off.
	tiny = 1e-13
	// rateTime is for how long what was done counts for the rate: after so long by 1/e.
	rateTime = 30 * time.Second
	// soonest is after which time there is a rate.
	soonest = time.Second
)

// measures are how far the sources of a run are.
type measures struct {
	mu     sync.Mutex
	of     map[*Stage]float64 // the part that each has done
	known  bool               // all have said
	done   float64            // of all together; never less than before
	behind bool               // together they say that less is done now
	rows   int64              // that had been read when it had grown last
	step   float64            // by which it has grown last
	began  time.Time          // when it was known first
	at     time.Time          // when it has grown last
	grown  float64            // the growth, of which what is long ago counts less
	during float64            // the seconds that it took, likewise
}

// Measured is for sources that know how much there is: done of total, in any unit. Call it when the
// source begins, with what earlier runs of a job have done, and after each page, or less often. A
// total of 0 means that nothing is left. A total below 0 means that it is not known yet; the call
// then does nothing.
func (s *Stage) Measured(done, total float64) {
	part := 1.0
	if total != 0 {
		part = min(1, max(0, done/total))
	}
	if !s.reads || total < 0 || math.IsNaN(part) {
		return
	}
	r := s.run
	r.measures.update(s, part, r.inputs, r.rows.Load()+r.before.Load(), time.Now())
}

// update notes which part of a source is done, when so many rows have been read in all.
func (m *measures) update(s *Stage, part float64, inputs int, rows int64, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.of == nil {
		m.of = map[*Stage]float64{}
	}
	m.of[s] = part
	if len(m.of) < inputs {
		return
	}
	mean := 0.0
	for _, part := range m.of {
		mean += part / float64(len(m.of))
	}
	m.behind = mean < m.done-rounding
	switch {
	case !m.known:
		m.known, m.began, m.at, m.done, m.rows = true, now, now, mean, rows
	case mean > m.done+tiny:
		growth := mean - m.done
		if seconds := now.Sub(m.at).Seconds(); seconds > 0 {
			m.fade(seconds, growth/seconds)
			m.at, m.step = now, growth
		} else { // sources that come further together
			m.grown += growth
			m.step += growth
		}
		m.done, m.rows = mean, rows
	}
}

// fade makes what was measured so far count less, and adds so many seconds of a rate.
func (m *measures) fade(seconds, rate float64) {
	stays := math.Exp(-seconds / rateTime.Seconds())
	counts := rateTime.Seconds() * (1 - stays)
	m.grown = m.grown*stays + rate*counts
	m.during = m.during*stays + counts
}

// estimate is what is known now. Rows have been read so far.
func (m *measures) estimate(now time.Time, rows int64) (e Estimate) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e.Known = m.known; !e.Known {
		return e
	}
	e.Fraction = min(m.done, almostAll)
	if all := math.Round(float64(m.rows) / m.done); m.done > 0 && all < math.MaxInt64 {
		e.Rows = max(rows, int64(all))
	}
	if !m.behind && m.grown > 0 && m.during > 0 && now.Sub(m.began) >= soonest {
		e.LeftKnown, e.Left = true, m.left(now)
	}
	return e
}

// left is by the rate so far. Parts that are done all at once, as token ranges may be, come
// in steps: until the next one is due the time just goes on; when it is late the rate falls.
func (m *measures) left(now time.Time) time.Duration {
	if m.done >= 1 { // what is left is not read but written
		return 0
	}
	rate := m.grown / m.during
	since := now.Sub(m.at).Seconds()
	left := (1 - m.done) / rate
	if late := since - m.step/rate; late > 0 {
		slower := measures{grown: m.grown, during: m.during}
		slower.fade(late, 0)
		left = (1 - m.done) / (slower.grown / slower.during)
		since = m.step / rate
	}
	seconds := min(max(0, left-since), (100 * 365 * 24 * time.Hour).Seconds())
	return time.Duration(seconds * float64(time.Second))
}
