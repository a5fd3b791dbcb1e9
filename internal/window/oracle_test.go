package window_test

import (
	"cmp"
	"math"
	"slices"

	"github.com/rxcql/rxcql/internal/window"
)

// row is a row of a test: its number tells it from all others.
type row struct {
	number int
	key    int
	at     int64
}

// result is a result with the numbers of its rows, in ascending order.
type result struct {
	key        int
	start, end int64
	rows       []int
	kind       window.Kind
	late       int64
}

// model does what the windows of the package do, by looking at all rows each time.
type model interface {
	add(r row) (missed int)
	advance(t int64) []result
	early() []result
	corrections() []result
}

// modelWindow is a window of a key, or a session.
type modelWindow struct {
	key        int
	start, end int64
	first      int // the number of the row that made it; windows of one end come in its order
	rows       []row
	told       int
	late       int64
	ended      bool
	given      bool
}

func (w *modelWindow) result(kind window.Kind) result {
	var numbers []int
	for _, r := range w.rows {
		numbers = append(numbers, r.number)
	}
	slices.Sort(numbers)
	w.told = len(w.rows)
	w.given = w.given || kind != window.Early
	return result{w.key, w.start, w.end, numbers, kind, w.late}
}

// modelOf is what both models have.
type modelOf struct {
	lateness  int64
	now, over int64
	windows   []*modelWindow
}

func newModelOf(lateness int64) modelOf {
	return modelOf{lateness: lateness, now: math.MinInt64, over: math.MinInt64}
}

func (m *modelOf) inOrder() []*modelWindow {
	all := slices.Clone(m.windows)
	slices.SortFunc(all, func(a, b *modelWindow) int { return cmp.Or(cmp.Compare(a.end, b.end), cmp.Compare(a.first, b.first)) })
	return all
}

func (m *modelOf) expired(end int64) bool { return m.over >= end }

func (m *modelOf) advance(t int64) (out []result) {
	m.now = max(m.now, t)
	over := t
	if t != math.MaxInt64 {
		over = t - m.lateness
	}
	m.over = max(m.over, over)
	for _, w := range m.inOrder() {
		switch {
		case w.end > t || m.isOver(w):
			continue
		case !w.ended && w.given:
			out = append(out, w.result(window.Corrected))
		case !w.ended:
			out = append(out, w.result(window.Final))
		case m.expired(w.end) && w.told != len(w.rows):
			out = append(out, w.result(window.Corrected))
		}
		w.ended = true
	}
	return out
}

func (m *modelOf) isOver(w *modelWindow) bool { return w.told < 0 }

func (m *modelOf) early() (out []result) {
	for _, w := range m.inOrder() {
		if !w.ended && w.told != len(w.rows) {
			out = append(out, w.result(window.Early))
		}
	}
	return out
}

func (m *modelOf) corrections() (out []result) {
	for _, w := range m.inOrder() {
		if w.ended && !m.isOver(w) && w.told != len(w.rows) {
			out = append(out, w.result(window.Corrected))
		}
	}
	return out
}

// alignedModel has tumbling or hopping windows.
type alignedModel struct {
	modelOf
	size, every, offset int64
}

func (m *alignedModel) add(r row) (missed int) {
	for start := m.offset - 400*m.every; start <= r.at; start += m.every {
		end := start + m.size
		if end <= r.at {
			continue
		}
		if m.expired(end) {
			missed++
			continue
		}
		at := slices.IndexFunc(m.windows, func(w *modelWindow) bool { return w.key == r.key && w.start == start })
		if at < 0 {
			at = len(m.windows)
			m.windows = append(m.windows, &modelWindow{key: r.key, start: start, end: end, first: r.number, ended: end <= m.now})
		}
		w := m.windows[at]
		w.rows = append(w.rows, r)
		if w.ended {
			w.late++
		}
	}
	return missed
}

func (m *alignedModel) advance(t int64) []result {
	out := m.modelOf.advance(t)
	m.windows = slices.DeleteFunc(m.windows, func(w *modelWindow) bool { return m.expired(w.end) })
	return out
}

// sessionModel has sessions. Those that are over stay, to know which rows come too late for them.
type sessionModel struct {
	modelOf
	gap int64
}

func (m *sessionModel) add(r row) (missed int) {
	inside := false
	for _, w := range m.windows {
		if w.key != r.key || r.at < w.start || r.at >= w.end {
			continue
		}
		if m.isOver(w) {
			return 1
		}
		inside = true
	}
	if !inside && m.expired(r.at+m.gap) {
		return 1
	}
	into := &modelWindow{key: r.key, start: r.at, end: r.at + m.gap, first: r.number, rows: []row{r}}
	m.windows = slices.DeleteFunc(m.windows, func(w *modelWindow) bool {
		if w.key != r.key || m.isOver(w) || r.at+m.gap <= w.start || w.end <= r.at {
			return false
		}
		into.start, into.end, into.first = min(into.start, w.start), max(into.end, w.end), min(into.first, w.first)
		into.rows = append(into.rows, w.rows...)
		into.late += w.late
		into.given = into.given || w.given
		return true
	})
	if into.ended = into.end <= m.now; into.ended {
		into.late++
	}
	m.windows = append(m.windows, into)
	return 0
}

func (m *sessionModel) advance(t int64) []result {
	out := m.modelOf.advance(t)
	for _, w := range m.windows {
		if m.expired(w.end) {
			w.told = -1
		}
	}
	return out
}
