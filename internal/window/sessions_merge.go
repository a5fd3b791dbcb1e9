package window

// merge makes one session of several, from first up to next, and of a row between them. It is the
// one of them that came first.
func (m *Sessions[T, K, S]) merge(before, first, next *session[K, S], at int64) (*session[K, S], error) {
	into := first
	for s := first; s != next; s = s.after {
		if s.number < into.number {
			into = s
		}
	}
	start, end, value := min(first.start, at), max(first.end, at+m.gap), first.Value
	for s := first.after; s != next; s = s.after {
		var err error
		if value, err = m.Merge(value, s.Value); err != nil {
			return nil, err
		}
		end = max(end, s.end)
	}
	for s := first; s != next; s = s.after {
		if s != into {
			into.Rows, into.Late, into.given, into.told = into.Rows+s.Rows, into.Late+s.Late, into.given || s.given, 0
			m.unlist(s)
			var none S
			s.phase, s.Value = gone, none
			m.states--
			m.bytes -= s.bytes
		}
	}
	into.Value, into.end, into.after = value, end, next
	if into != first {
		m.putBehind(before, into)
	}
	if start != into.start {
		into.start = start
		m.begins(into)
	}
	m.setPhase(into)
	m.measureAnew(into)
	return into, nil
}
