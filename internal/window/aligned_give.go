package window

import (
	"cmp"
	"maps"
	"slices"
)

// Advance moves the clock to t, and gives what is due by then: the final results of windows that
// end at or before it, in the order of their ends, and of one window in the order in which its keys
// came.
func (m *Aligned[T, K, S]) Advance(t int64, give Give[K, S]) error {
	m.forgetRow()
	m.now = max(m.now, t)
	for m.calendar.isDue(t) {
		p := m.calendar.pop().of
		if !p.ended {
			p.ended = true
			if err := p.each(give, Final, all); err != nil {
				return err
			}
			if m.Lateness > 0 && p.end+m.Lateness > t {
				m.calendar.push(p.end+m.Lateness, 0, p)
				continue
			}
		}
		if err := p.each(give, Corrected, changed); err != nil { // none of them was given since
			return err
		}
		delete(m.panes, p.start)
		m.states -= p.states
		m.bytes -= p.bytes
	}
	m.over = max(m.over, Less(t, m.Lateness))
	return nil
}

// forgetRow lets go of what is kept for the next row.
func (m *Aligned[T, K, S]) forgetRow() {
	clear(m.of)
	m.of, m.missed, m.head, m.to = m.of[:0], 0, nil, m.from
}

// Over returns up to where windows are over: all that end at or before it.
func (m *Aligned[T, K, S]) Over() int64 { return m.over }

// Early gives the results so far of windows that are not at their end, as far as these have changed
// since they were given, in the order of Advance.
func (m *Aligned[T, K, S]) Early(give Give[K, S]) error { return m.eachPane(false, give, Early) }

// Corrections gives the results that have changed since they were given, of windows that are at
// their end: in the order of the ends, and of one window in the order in which its keys changed.
func (m *Aligned[T, K, S]) Corrections(give Give[K, S]) error {
	if m.postponed {
		m.postponed = false
		return m.eachPane(true, give, Corrected)
	}
	slices.SortStableFunc(m.changed, func(a, b change[K, S]) int { return cmp.Compare(a.in.end, b.in.end) })
	for _, c := range m.changed {
		if !c.of.changed() {
			continue
		}
		if err := c.of.give(give, c.in.start, c.in.end, Corrected); err != nil {
			return err
		}
	}
	m.forgetChanges()
	return nil
}

// Postpone leaves the results that have changed to a later call of Corrections.
func (m *Aligned[T, K, S]) Postpone() {
	m.postponed = m.postponed || len(m.changed) > 0
	m.forgetChanges()
}

func (m *Aligned[T, K, S]) forgetChanges() {
	clear(m.changed)
	m.changed = m.changed[:0]
}

// eachPane gives what has changed in windows that are, or are not, at their end.
func (m *Aligned[T, K, S]) eachPane(ended bool, give Give[K, S], kind Kind) error {
	for _, p := range slices.SortedFunc(maps.Values(m.panes), func(a, b *pane[K, S]) int { return cmp.Compare(a.end, b.end) }) {
		if p.ended != ended {
			continue
		}
		if err := p.each(give, kind, changed); err != nil {
			return err
		}
	}
	return nil
}

const (
	all     = false
	changed = true
)

// each gives the states of a window: all, or those that have changed since they were given.
func (p *pane[K, S]) each(give Give[K, S], kind Kind, changed bool) error {
	for _, block := range p.blocks {
		for i := range block {
			s := &block[i].State
			if changed && !s.changed() {
				continue
			}
			if err := s.give(give, p.start, p.end, kind); err != nil {
				return err
			}
		}
	}
	return nil
}

// changed reports whether rows have come since the last result.
func (s *State[K, S]) changed() bool { return s.Rows != s.told }

func (s *State[K, S]) give(give Give[K, S], start, end int64, kind Kind) error {
	s.told = s.Rows
	return give(s, start, end, kind)
}
