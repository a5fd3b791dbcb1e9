package window

import (
	"cmp"
	"slices"
)

// Advance moves the clock to t, and gives what is due by then: the final results of sessions that
// end at or before it, in the order of their ends, and those with one end in the order of their
// first rows. A session that has had a result as final, and then more rows, is given as Corrected.
func (m *Sessions[T, K, S]) Advance(t int64, give Give[K, S]) error {
	m.before = nil
	m.now = max(m.now, t)
	for m.calendar.isDue(t) {
		e := m.calendar.pop()
		if s := e.of; s.phase < gone && s.due == e.due {
			if err := m.dueNow(s, t, give); err != nil {
				return err
			}
		}
	}
	m.over = max(m.over, Less(t, m.Lateness))
	return nil
}

// dueNow does what is to be done with a session whose place in the calendar has come.
func (m *Sessions[T, K, S]) dueNow(s *session[K, S], t int64, give Give[K, S]) error {
	switch {
	case s.phase == open && s.end > s.due: // it has got longer
		m.schedule(s, s.end)
		return nil
	case s.phase == open:
		kind := Final
		if s.given {
			kind = Corrected
		}
		if err := s.giveTo(give, kind); err != nil {
			return err
		}
		s.phase = ended
		if m.Lateness > 0 && s.end+m.Lateness > t {
			m.schedule(s, s.end+m.Lateness)
			return nil
		}
	case s.phase == ended && s.end+m.Lateness > s.due:
		m.schedule(s, s.end+m.Lateness)
		return nil
	case s.phase == ended && s.changed():
		if err := s.giveTo(give, Corrected); err != nil {
			return err
		}
	case s.phase == over:
		m.forget(s)
		return nil
	}
	m.end(s)
	return nil
}

func (s *session[K, S]) giveTo(give Give[K, S], kind Kind) error {
	s.given = true
	return s.give(give, s.start, s.end, kind)
}

// end drops the state of a session that is over. The session is kept for a gap: as long as a row
// that is not late by its own time may come for it.
func (m *Sessions[T, K, S]) end(s *session[K, S]) {
	var none S
	s.phase, s.Value = over, none
	m.measureAnew(s)
	if m.noteEnds {
		m.ended = append(m.ended, Ended[K]{s.Key, s.end})
	}
	m.schedule(s, s.end+m.Lateness+m.gap)
}

// forget drops a session. It is the first of its key: those before it were forgotten before.
func (m *Sessions[T, K, S]) forget(s *session[K, S]) {
	m.unlist(s)
	s.phase = gone
	m.states--
	m.bytes -= s.bytes
	switch {
	case m.index[s.Key] != s: // a NaN
	case s.after != nil:
		m.index[s.Key] = s.after
	default:
		delete(m.index, s.Key)
	}
}

// TakeEnded returns the sessions that are over since it was last called, if NoteEnds was. The slice
// is valid until the next Advance.
func (m *Sessions[T, K, S]) TakeEnded() []Ended[K] {
	ended := m.ended
	m.ended = m.ended[:0]
	return ended
}

// begins notes the start of a session.
func (m *Sessions[T, K, S]) begins(s *session[K, S]) {
	m.starts.keep(m.states, func(e entry[*session[K, S]]) bool { return e.of.begins(e.due) })
	m.starts.push(s.start, 0, s)
}

// begins reports whether a session that is not over begins at t.
func (s *session[K, S]) begins(t int64) bool { return s.phase <= ended && s.start == t }

// Over returns a time: all rows before it that were added are in sessions that are over, and no
// other row before it can be added. It never goes back.
func (m *Sessions[T, K, S]) Over() int64 {
	until := Less(m.over, m.gap-1)
	for len(m.starts) > 0 {
		if first := m.starts[0]; first.of.begins(first.due) {
			return min(until, first.due)
		}
		m.starts.pop()
	}
	return until
}

// Early gives the results so far of sessions that are not at their end, as far as these have
// changed since they were given, in the order of Advance.
func (m *Sessions[T, K, S]) Early(give Give[K, S]) error {
	return m.giveAll(m.kept(open), give, Early)
}

// kept returns the sessions in a phase that have changed.
func (m *Sessions[T, K, S]) kept(phase phase) (all []*session[K, S]) {
	for _, e := range m.calendar {
		if s := e.of; s.phase == phase && s.due == e.due && s.changed() {
			all = append(all, s)
		}
	}
	return all
}

// giveAll gives sessions that have changed and are at their end, or not, by kind.
func (m *Sessions[T, K, S]) giveAll(all []*session[K, S], give Give[K, S], kind Kind) error {
	slices.SortFunc(all, func(a, b *session[K, S]) int {
		return cmp.Or(cmp.Compare(a.end, b.end), cmp.Compare(a.number, b.number))
	})
	for _, s := range all {
		if !s.changed() {
			continue
		}
		if kind == Early {
			if err := s.give(give, s.start, s.end, kind); err != nil {
				return err
			}
			continue
		}
		if s.phase != ended {
			continue
		}
		if err := s.giveTo(give, kind); err != nil {
			return err
		}
	}
	return nil
}

// Corrections gives the results that have changed since they were given, of sessions that are at
// their end, in the order of Advance.
func (m *Sessions[T, K, S]) Corrections(give Give[K, S]) error {
	changed := m.changed
	if m.postponed {
		m.postponed = false
		changed = m.kept(ended)
	}
	err := m.giveAll(changed, give, Corrected)
	m.forgetChanges()
	return err
}

// Postpone leaves the results that have changed to a later call of Corrections.
func (m *Sessions[T, K, S]) Postpone() {
	m.postponed = m.postponed || len(m.changed) > 0
	m.forgetChanges()
}

func (m *Sessions[T, K, S]) forgetChanges() {
	clear(m.changed)
	m.changed = m.changed[:0]
}
