package window

import "unsafe"

// Sessions are windows of rows of one key that are less than a gap apart. A session begins with its
// first row, and ends a gap after its last.
type Sessions[T any, K comparable, S any] struct {
	bounds[T, K, S]
	gap int64

	index    map[K]*session[K, S]      // the earliest of each key
	many     map[K]*manySessions[K, S] // all of those keys that have had many
	calendar calendar[*session[K, S]]
	starts   calendar[*session[K, S]] // see begins; some are out of date
	now      int64
	over     int64 // sessions that end at or before it are over
	number   int64 // of sessions so far
	last     int64 // one more than the latest time of a row, see Until

	before    *session[K, S] // that the row before went into
	changed   []*session[K, S]
	postponed bool
	ended     []Ended[K]
	noteEnds  bool
}

// Ended is the end of a session that is over.
type Ended[K comparable] struct {
	Key K
	End int64
}

// session is one session. Those of one key do not touch each other.
type session[K comparable, S any] struct {
	State[K, S]
	start, end int64
	number     int64 // in the order of first rows
	due        int64 // its place in the calendar
	bytes      int64 // as counted
	after      *session[K, S]
	phase      phase
	given      bool // it, or one that has become a part of it, has had a final result
	listed     bool // its key is among many
}

// phase is how far the life of a session is.
type phase uint8

const (
	open  phase = iota // the clock is before its end
	ended              // the clock is at its end, but rows may still come late
	over               // kept without its state, so that a row which comes for it is known to be late
	gone               // a part of another, or forgotten
)

// NewSessions returns sessions without any rows.
func NewSessions[T any, K comparable, S any](cfg Config[T, K, S], gap int64) *Sessions[T, K, S] {
	size := unsafe.Sizeof(session[K, S]{}) + 2*unsafe.Sizeof(entry[*session[K, S]]{})
	return &Sessions[T, K, S]{
		bounds: newBounds(cfg, size), gap: gap,
		index: map[K]*session[K, S]{}, now: Never, over: Never, last: Never,
	}
}

// NoteEnds has the ends of sessions that are over kept for TakeEnded.
func (m *Sessions[T, K, S]) NoteEnds() { m.noteEnds = true }

// Add folds a row into the session that it belongs to. missed is 1 if that is over, or if the row
// would begin one that is over, or have one begin so early: then the row is in none. The error is
// that of Fold or Merge, or ErrFull.
func (m *Sessions[T, K, S]) Add(at int64, key K, row *T) (missed int, err error) {
	s := m.before
	switch {
	case s == nil || s.Key != key || at < s.start || at >= s.end || s.phase > ended ||
		s.after != nil && at+m.gap > s.after.start:
		if s, err = m.find(at, key); err != nil {
			return 0, err
		}
		if m.before = s; s == nil {
			return 1, nil
		}
	case at+m.gap > s.end:
		m.extend(s, at+m.gap)
	}
	value, err := m.Fold(s.Value, *row)
	if err != nil {
		return 0, err
	}
	s.Value = value
	s.Rows++
	if s.Rows == 1 {
		m.measureAnew(s)
	} else if m.grows(row) {
		m.measure()
	}
	if s.phase == ended {
		s.Late++
		m.changed = append(m.changed, s)
	}
	m.last = max(m.last, at+1)
	if !m.inBounds() {
		return 0, ErrFull
	}
	return 0, nil
}

// find returns the session that a row belongs to, as it is with the row; nil if the row is late.
func (m *Sessions[T, K, S]) find(at int64, key K) (*session[K, S], error) {
	end := at + m.gap
	before, first := m.around(at, key)
	inside, next := false, first
	for ; next != nil && next.start < end; next = next.after {
		if next.phase == over { // with the row in it
			return nil, nil
		}
		inside = inside || next.start <= at
	}
	switch {
	case end <= m.over && !inside:
		return nil, nil
	case first == next:
		return m.add(at, key, before, next)
	case first.after != next:
		return m.merge(before, first, next, at)
	}
	if at < first.start {
		first.start = at
		m.begins(first)
	}
	if end > first.end {
		m.extend(first, end)
	}
	return first, nil
}

// add makes a session. before and after are its neighbours of the same key, if there are any.
//
//go:noinline
func (m *Sessions[T, K, S]) add(at int64, key K, before, after *session[K, S]) (*session[K, S], error) {
	if !m.mayAdd() {
		return nil, ErrFull
	}
	key = m.Keep(key)
	m.number++
	s := &session[K, S]{State: State[K, S]{Key: key, Value: m.Seed()}, start: at, end: at + m.gap, number: m.number, due: Forever, after: after}
	m.states++
	m.setPhase(s)
	m.putBehind(before, s)
	if before != nil && before.listed || after != nil && after.listed {
		m.list(s)
	}
	m.begins(s)
	return s, nil
}

// putBehind makes s the session behind another of its key, or the first if there is none.
func (m *Sessions[T, K, S]) putBehind(before, s *session[K, S]) {
	switch {
	case before != nil:
		before.after = s
	case s.Key == s.Key: //nolint:gocritic // a NaN could never be found again
		m.index[s.Key] = s
	}
}

// extend moves the end of a session further.
func (m *Sessions[T, K, S]) extend(s *session[K, S], end int64) {
	s.end = end
	if s.phase == ended {
		m.setPhase(s)
	}
}

// setPhase sets the phase of a session that is kept, by its end. In the calendar it may be earlier
// than it is due, never later.
func (m *Sessions[T, K, S]) setPhase(s *session[K, S]) {
	due := s.end
	if s.phase = open; s.end <= m.now {
		s.phase = ended
		due += m.Lateness
	}
	if due < s.due {
		m.schedule(s, due)
	}
}

func (m *Sessions[T, K, S]) schedule(s *session[K, S], due int64) {
	s.due = due
	m.calendar.keep(m.states, func(e entry[*session[K, S]]) bool { return e.of.phase < gone && e.of.due == e.due })
	m.calendar.push(due, s.number, s)
}

// Until returns a time up to which rows were added since it was last called: all came before it;
// Never if there were none.
func (m *Sessions[T, K, S]) Until() int64 {
	until := m.last
	m.last = Never
	return until
}

// measureAnew counts what a session takes now.
func (m *Sessions[T, K, S]) measureAnew(s *session[K, S]) {
	m.bytes -= s.bytes
	s.bytes = m.size(&s.State)
	if s.listed {
		s.bytes += listedBytes
	}
	m.bytes += s.bytes
}

// measure measures all sessions.
func (m *Sessions[T, K, S]) measure() {
	before := m.bytes
	for _, e := range m.calendar {
		if e.of.phase < gone {
			m.measureAnew(e.of)
		}
	}
	m.growth.Measured(before, m.bytes)
}
