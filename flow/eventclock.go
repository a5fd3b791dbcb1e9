package flow

import (
	"container/heap"
	"maps"
	"slices"
)

// EventClock is how far event time has come in a stage: the least watermark of all open parts of
// all that the stage reads. No row before Now is still to come, as far as the sources' watermarks
// are true. The zero EventClock is ready for use. It is not safe for use by several goroutines at
// once.
//
// Parts that have not begun hold it back, unless their source says that parts come in order
// (Parts.Ordered). So does a source that does not say how many parts it has, until it ends. A part
// that has ended counts no more.
//
// Idle parts are like others: operators.EventTime moves their watermarks on. Were they left out, a
// row that comes to one of them later would be behind the watermarks of the others.
type EventClock struct {
	now   Watermark
	open  map[*Origin]*clockSource
	parts map[PartID]*clockPart
	order clockHeap               // what holds the clock back, the least watermark first
	over  [2]map[*Origin]struct{} // readings that have ended, the last ones first
}

// clockSource is a reading of a source that has not ended.
type clockSource struct {
	begun, open int        // of its parts
	most        Watermark  // of all its parts so far
	rest        *clockPart // stands for the parts that have not begun; nil if all have
}

// clockPart is a part that has not ended. With ended set it is kept as a note, since a part must
// not begin twice.
type clockPart struct {
	watermark Watermark
	index     int // in the heap
	ended     bool
}

// mostOver is how many readings that have ended are remembered at least, so that nothing that is
// said of them later counts. A stream that is read again for years (operators.Retry) has ever new
// ones.
const mostOver = 500

// Now returns how far event time has come: the zero Watermark if nothing is known yet, Forever if
// all parts of all that was heard of have ended. It never goes back.
func (c *EventClock) Now() Watermark { return c.now }

// Expect says that a reading of a source is about to begin, and holds the clock back until its
// parts have said how far they are. Add does it for an Advance of Begins.
func (c *EventClock) Expect(o *Origin) {
	if c.isOver(o) {
		return
	}
	c.source(o)
	c.move()
}

// Add notes what a page says. Call it behind the rows of each page, also where it has none. A page
// with rows of several parts (Range -1) says nothing.
func (c *EventClock) Add(a Advance) {
	if c.isOver(a.Source) {
		return
	}
	switch {
	case a.Range == AllParts && a.Last:
		c.end(a.Source)
	case a.Range == AllParts:
		c.source(a.Source)
	case a.Range >= 0:
		c.part(a)
	default:
		return
	}
	c.move()
}

// move sets the clock to the least watermark.
func (c *EventClock) move() {
	least := Forever
	if len(c.order) > 0 {
		least = c.order[0].watermark
	}
	if c.now.Before(least) {
		c.now = least
	}
}

// source returns what is known of a reading of a source, which may be new.
func (c *EventClock) source(o *Origin) *clockSource {
	if s := c.open[o]; s != nil {
		return s
	}
	if c.open == nil {
		c.open, c.parts = map[*Origin]*clockSource{}, map[PartID]*clockPart{}
	}
	s := &clockSource{rest: &clockPart{}}
	heap.Push(&c.order, s.rest)
	c.open[o] = s
	return s
}

// part notes what a part says.
func (c *EventClock) part(a Advance) {
	s := c.source(a.Source)
	p := c.parts[a.PartID()]
	if p == nil {
		p = &clockPart{}
		c.parts[a.PartID()] = p
		heap.Push(&c.order, p)
		s.begun++
		s.open++
	}
	if p.ended {
		return
	}
	if p.watermark.Before(a.Watermark) {
		c.set(p, a.Watermark)
	}
	if s.most.Before(p.watermark) {
		s.most = p.watermark
	}
	if a.Last {
		p.ended = true
		c.drop(p)
		s.open--
	}
	n, known := a.Source.Parts()
	switch {
	case s.rest == nil:
	case known && s.begun >= n:
		c.drop(s.rest)
		s.rest = nil
	case a.Source.Ordered():
		c.set(s.rest, s.most)
	}
	if s.rest == nil && s.open == 0 {
		c.end(a.Source)
	}
}

func (c *EventClock) set(p *clockPart, w Watermark) {
	p.watermark = w
	heap.Fix(&c.order, p.index)
}

func (c *EventClock) drop(p *clockPart) { heap.Remove(&c.order, p.index) }

// end notes that nothing more comes of a reading of a source.
func (c *EventClock) end(o *Origin) {
	if s := c.open[o]; s != nil && s.rest != nil {
		c.drop(s.rest)
	}
	maps.DeleteFunc(c.parts, func(id PartID, p *clockPart) bool {
		if id.Source == o && !p.ended {
			c.drop(p)
		}
		return id.Source == o
	})
	delete(c.open, o)
	if c.over[0] == nil || len(c.over[0]) >= mostOver {
		c.over[0], c.over[1] = map[*Origin]struct{}{}, c.over[0]
	}
	c.over[0][o] = struct{}{}
}

func (c *EventClock) isOver(o *Origin) bool {
	_, late := c.over[0][o]
	_, early := c.over[1][o]
	return late || early
}

// clockHeap implements heap.Interface.
type clockHeap []*clockPart

func (h clockHeap) Len() int           { return len(h) }
func (h clockHeap) Less(i, j int) bool { return h[i].watermark.Before(h[j].watermark) }

func (h clockHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].index, h[j].index = i, j
}

// Push implements heap.Interface.
func (h *clockHeap) Push(p any) {
	part := p.(*clockPart)
	part.index = len(*h)
	*h = append(*h, part)
}

// Pop implements heap.Interface.
func (h *clockHeap) Pop() any {
	last := len(*h) - 1
	part := (*h)[last]
	(*h)[last] = nil
	*h = slices.Delete(*h, last, last+1)
	return part
}
