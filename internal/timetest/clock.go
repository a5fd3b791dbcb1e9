// Package timetest is for tests: event time in a stage as it is defined, looked up part by part.
package timetest

import "github.com/rxcql/rxcql/flow"

// Clock is what a flow.EventClock has to be. The zero value is ready for use.
type Clock struct {
	now     flow.Watermark
	sources []*source
}

type source struct {
	origin *flow.Origin
	parts  map[int]*part
	over   bool
}

type part struct {
	mark flow.Watermark
	last bool
}

// Now is how far event time is.
func (c *Clock) Now() flow.Watermark { return c.now }

// Add notes what a page says.
func (c *Clock) Add(a flow.Advance) {
	if a.Range < 0 && a.Range != flow.AllParts {
		return
	}
	s := c.source(a.Source)
	switch {
	case a.Range == flow.AllParts:
		s.over = s.over || a.Last
	case !s.over:
		p := s.parts[a.Range]
		if p == nil {
			p = &part{}
			s.parts[a.Range] = p
		}
		if !p.last && p.mark.Before(a.Watermark) {
			p.mark = a.Watermark
		}
		p.last = p.last || a.Last
		s.over = s.ended()
	}
	least := flow.Forever
	for _, s := range c.sources {
		if mark := s.least(); mark.Before(least) {
			least = mark
		}
	}
	if c.now.Before(least) {
		c.now = least
	}
}

func (c *Clock) source(o *flow.Origin) *source {
	for _, s := range c.sources {
		if s.origin == o {
			return s
		}
	}
	s := &source{origin: o, parts: map[int]*part{}}
	c.sources = append(c.sources, s)
	return s
}

// allBegun reports whether no further part is to come.
func (s *source) allBegun() bool {
	n, known := s.origin.Parts()
	return known && len(s.parts) >= n
}

func (s *source) ended() bool {
	for _, p := range s.parts {
		if !p.last {
			return false
		}
	}
	return s.allBegun()
}

// least is the least watermark of what is still to come.
func (s *source) least() flow.Watermark {
	if s.over {
		return flow.Forever
	}
	least, most := flow.Forever, flow.Watermark{}
	for _, p := range s.parts {
		if most.Before(p.mark) {
			most = p.mark
		}
		if !p.last && p.mark.Before(least) {
			least = p.mark
		}
	}
	switch {
	case s.allBegun():
	case !s.origin.Ordered():
		return flow.Watermark{}
	case most.Before(least):
		least = most
	}
	return least
}
