package window

import "unsafe"

// paneBytes is about what a window takes besides its states.
const paneBytes = 256

// Aligned are windows of one size that begin at multiples of a time: tumbling ones if they begin
// where others end, else hopping ones.
type Aligned[T any, K comparable, S any] struct {
	bounds[T, K, S]
	windows Grid

	panes    map[int64]*pane[K, S] // by their starts
	calendar calendar[*pane[K, S]]
	now      int64
	over     int64 // windows that end at or before it are over
	last     int64 // the latest end of a window that rows were counted in, see Until

	// Of the row before: times with the same windows, those of them that are not over, how many
	// others there are, and the state in the first.
	from, to int64
	of       []*pane[K, S]
	missed   int
	head     *cell[K, S]

	changed   []change[K, S]
	postponed bool
}

// Grid says which windows there are.
type Grid struct {
	Size, Every, Offset int64 // Every is at most Size
}

// Of returns the starts of the first and the last window that a time is in. The others begin Every
// apart.
func (g Grid) Of(at int64) (first, last int64) {
	return floor(at-g.Size, g.Every, g.Offset) + g.Every, floor(at, g.Every, g.Offset)
}

// Within returns how many of the windows that a time is in end at or before another time.
func (g Grid) Within(at, until int64) (n int) {
	first, last := g.Of(at)
	for start := first; start <= last && start+g.Size <= until; start += g.Every {
		n++
	}
	return n
}

// pane is one window.
type pane[K comparable, S any] struct {
	start, end int64
	index      map[K]*cell[K, S]
	blocks     [][]cell[K, S] // full, except the last; a block is never moved
	states     int64
	bytes      int64
	ended      bool // the clock is at its end
}

// cell is a state of a pane.
type cell[K comparable, S any] struct {
	State[K, S]
	next *cell[K, S] // of the same key in the next window; nil if not known
}

type change[K comparable, S any] struct {
	in *pane[K, S]
	of *cell[K, S]
}

// NewAligned returns windows without any rows. Those that end at or before over are over.
func NewAligned[T any, K comparable, S any](cfg Config[T, K, S], windows Grid, over int64) *Aligned[T, K, S] {
	return &Aligned[T, K, S]{
		bounds: newBounds(cfg, unsafe.Sizeof(cell[K, S]{})), windows: windows,
		panes: map[int64]*pane[K, S]{}, now: Never, over: over, last: Never,
	}
}

// Add folds a row into the windows that its time is in. missed is how many of them are over: the
// earliest ones. The error is that of Fold, or ErrFull.
func (m *Aligned[T, K, S]) Add(at int64, key K, row *T) (missed int, err error) {
	if at < m.from || at >= m.to {
		m.seek(at)
	}
	c := m.head
	if c != nil && c.Key != key {
		c = nil
	}
	for i, p := range m.of {
		switch {
		case i > 0 && c.next != nil:
			c = c.next
		case i > 0 || c == nil:
			found := p.index[key]
			if found == nil {
				if found = m.add(p, key); found == nil {
					return m.missed, ErrFull
				}
			}
			if i > 0 {
				c.next = found
			} else {
				m.head = found
			}
			c = found
		}
		value, err := m.Fold(c.Value, *row)
		if err != nil {
			return m.missed, err
		}
		c.Value = value
		c.Rows++
		if c.Rows == 1 {
			m.measureNew(p, c)
		} else if m.grows(row) {
			m.measure()
		}
		if p.ended {
			c.Late++
			m.changed = append(m.changed, change[K, S]{p, c})
		}
	}
	if !m.inBounds() {
		return m.missed, ErrFull
	}
	return m.missed, nil
}

// seek finds the windows that a time is in.
func (m *Aligned[T, K, S]) seek(at int64) {
	g := &m.windows
	first, last := g.Of(at)
	m.from, m.to = max(last, first-g.Every+g.Size), min(last+g.Every, first+g.Size)
	m.of, m.missed, m.head = m.of[:0], 0, nil
	for start := first; start <= last; start += g.Every {
		if start+g.Size <= m.over {
			m.missed++
			continue
		}
		p := m.panes[start]
		if p == nil {
			p = &pane[K, S]{start: start, end: start + g.Size, index: map[K]*cell[K, S]{}, bytes: paneBytes}
			m.panes[start] = p
			m.bytes += paneBytes
			if p.ended = p.end <= m.now; p.ended {
				m.calendar.push(p.end+m.Lateness, 0, p)
			} else {
				m.calendar.push(p.end, 0, p)
			}
		}
		m.of = append(m.of, p)
		m.last = max(m.last, p.end)
	}
}

// add is a function of its own since the key goes to the heap in it, which one that is there need
// not.
//
//go:noinline
func (m *Aligned[T, K, S]) add(p *pane[K, S], key K) *cell[K, S] {
	if !m.mayAdd() {
		return nil
	}
	if last := len(p.blocks) - 1; last < 0 || len(p.blocks[last]) == cap(p.blocks[last]) {
		most := min(512, max(1, blockBytes/int64(unsafe.Sizeof(cell[K, S]{}))))
		p.blocks = append(p.blocks, make([]cell[K, S], 0, min(most, max(8, p.states)))) // as many again
	}
	block := &p.blocks[len(p.blocks)-1]
	key = m.Keep(key)
	*block = append(*block, cell[K, S]{State: State[K, S]{Key: key, Value: m.Seed()}})
	c := &(*block)[len(*block)-1]
	if key == key { //nolint:gocritic // a NaN could never be found again
		p.index[key] = c
	}
	p.states++
	m.states++
	return c
}

// Until returns the latest end of the windows that rows were counted in since it was last called;
// Never if there were none.
func (m *Aligned[T, K, S]) Until() int64 {
	until := m.last
	m.last, m.to = Never, m.from
	return until
}

func (m *Aligned[T, K, S]) measureNew(p *pane[K, S], c *cell[K, S]) {
	bytes := m.size(&c.State)
	p.bytes += bytes
	m.bytes += bytes
}

// measure measures all states.
func (m *Aligned[T, K, S]) measure() {
	before := m.bytes
	m.bytes = 0
	for _, p := range m.panes {
		p.bytes = paneBytes
		for _, block := range p.blocks {
			for i := range block {
				p.bytes += m.size(&block[i].State)
			}
		}
		m.bytes += p.bytes
	}
	m.growth.Measured(before, m.bytes)
}
