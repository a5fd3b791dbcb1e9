package flow

import (
	"slices"
	"sync/atomic"
	"time"
)

// Origin is a source during one reading of a run: where pages come from. All pages of that reading
// have the same pointer. Another source has another one, and so has the same source when a run
// reads it again (a stream that is merged with itself, for example).
//
// The engine gives one to each stage that is marked rxcql.StageInfo.Source. An operator whose pages
// belong to no part of its input, as those of Rx, takes one of its own (rxcql.Stage.Origin).
type Origin struct {
	// Name of the stage that reads, as in the report.
	Name string
	// Number of that stage among those of the run, from 0, as in the report.
	Number int
	// Several: the run has more sources, so that a range alone does not say where a row is.
	Several bool

	parts atomic.Pointer[Parts]
}

// Parts is what a source says of its parts, before its first page (rxcql.Stage.Parts).
type Parts struct {
	// Count is how many parts the reading has. Parts that an earlier run of a job has done are not
	// among them: each of these has pages, the last of which has Position.Last set.
	Count int
	// Ordered: the parts come in the order of their rows' event times, so that none has rows that
	// are earlier than those of a part before it. Then a part that has not begun does not hold back
	// event time any further than those that have.
	Ordered bool
	// Overlap is for a source whose parts can be idle: how long before that moment (Idle.At) a row
	// may have been written that the source has yet to see. For source.Tail that is the time
	// which it reads again.
	Overlap time.Duration
}

// SetParts says how many parts the reading has. Sources call rxcql.Stage.Parts instead; this is for
// an operator that makes pages of a source of its own (rxcql.Stage.Origin). Call it before the
// first page.
func (o *Origin) SetParts(p Parts) { o.parts.Store(&p) }

// Parts returns how many parts the reading has; false if its source has not said so. Then nobody
// but the source knows whether all have begun, and event time waits for its end.
func (o *Origin) Parts() (n int, known bool) {
	p := o.said()
	return p.Count, p != &unsaid
}

// Ordered reports whether the parts come in the order of event time, see Parts.
func (o *Origin) Ordered() bool { return o.said().Ordered }

// Overlap returns how long before the moment of Idle.At a row may have been written that is
// still to come.
func (o *Origin) Overlap() time.Duration { return o.said().Overlap }

var unsaid Parts

func (o *Origin) said() *Parts {
	if o != nil {
		if p := o.parts.Load(); p != nil {
			return p
		}
	}
	return &unsaid
}

// AllParts is the range of an Advance about all parts of a source together: that they have ended
// (Last), or are about to be read. The engine hands on such pages, which have no rows, where a
// stage has several inputs or reads one again (see Begins and Ends). So stages behind it know what
// is still to come, and that nothing comes of an input which was ended early, or has failed.
const AllParts = -2

// PartID identifies a part among the parts of all sources of a run: the index of a range is that of
// one source only.
type PartID struct {
	Source *Origin
	Range  int
}

// PartID returns the part that the page's rows come from.
func (p Position) PartID() PartID { return PartID{p.Source, p.Range} }

// Advance is how far a part of a source has come, as a page says it about the rows that follow:
// none of these is before the watermark, and with Last there are none.
type Advance struct {
	Position
	Watermark Watermark
	// Idle is set where the part is idle. The source says so each time that it asks in vain. An
	// advance without it ends the idleness of its part.
	Idle *Idle
}

// Begins is the Advance that says that parts of a source are about to be read.
func Begins(o *Origin) Advance { return Advance{Position: Position{Source: o, Range: AllParts}} }

// Ends is the Advance that says that nothing more comes of any part of a source.
func Ends(o *Origin) Advance {
	return Advance{Position: Position{Source: o, Range: AllParts, Last: true}}
}

// Says reports whether the advance says anything.
func (a Advance) Says() bool {
	return a.Last || a.Watermark.Known() || a.Range == AllParts || a.Idle != nil
}

// Hushed returns the advance of rows of which others are still to come: it names their part, and
// says nothing of its end, its watermark and its idleness.
func (a Advance) Hushed() Advance {
	a.Last, a.Watermark, a.Idle = false, Watermark{}, nil
	return a
}

// Advance returns what the reservation's page says about its part.
func (res *Reservation) Advance() Advance {
	return Advance{Position: res.Position, Watermark: res.Watermark, Idle: res.Idle}
}

// Says reports whether the reservation's page says anything about its part.
func (res *Reservation) Says() bool {
	return res.Last || res.Watermark.Known() || res.Range == AllParts || res.Idle != nil
}

// Say sets what the reservation's page says about a part. An operator that hands on how far a part
// has come, apart from its rows, does so with a page without rows.
func (res *Reservation) Say(a Advance) {
	res.Position, res.Watermark, res.Idle = a.Position, a.Watermark, a.Idle
}

// Hush removes, and returns for Say, what the page says about the part's end, its watermark and
// its idleness. Use it to hand on some of the page's rows while others are still to come.
func (res *Reservation) Hush() (said Advance) {
	said = res.Advance()
	res.Say(said.Hushed())
	return said
}

// Advances is how far several parts have come, one Advance each. Operators that keep rows of these
// parts hold the advances back until the rows have been handed on. What is said of all parts of a
// source (AllParts) is one of these advances. The zero value is ready for use.
type Advances struct {
	list  []Advance
	index map[PartID]int // of the list; nil while that is short
	mixed bool
	wide  bool // advances of all parts of a source are among them
}

// fewParts is the number of parts up to which the list is searched without an index.
const fewParts = 8

// Add notes an advance. One that says nothing counts too: it adds its part. For each part the
// latest watermark is kept, Last once an advance has it, and the idleness of the last advance.
func (s *Advances) Add(a Advance) {
	s.wide = s.wide || a.Range == AllParts
	if i := s.find(a.PartID()); i >= 0 {
		was := s.list[i]
		if a.Watermark.Before(was.Watermark) {
			a.Watermark = was.Watermark
		}
		a.Last = a.Last || was.Last
		s.list[i] = a
		return
	}
	s.list = append(s.list, a)
	s.mixed = s.mixed || a.Range < 0 && a.Range != AllParts
	switch {
	case len(s.list) <= fewParts:
	case s.index == nil:
		s.index = map[PartID]int{}
		for i, each := range s.list {
			s.index[each.PartID()] = i
		}
	default:
		s.index[a.PartID()] = len(s.list) - 1
	}
}

// find returns the index of a part in the list, -1 if it is not there.
func (s *Advances) find(part PartID) int {
	if s.index != nil {
		if i, there := s.index[part]; there {
			return i
		}
		return -1
	}
	return slices.IndexFunc(s.list, func(a Advance) bool { return a.PartID() == part })
}

// HoldBack reports whether an advance of a part must wait for these: because the part is among
// them, or rows of several parts are. An advance of all parts of a source waits for each of them.
func (s *Advances) HoldBack(part PartID) bool {
	switch {
	case s.mixed || s.find(part) >= 0:
		return true
	case part.Range != AllParts:
		return false
	}
	return slices.ContainsFunc(s.list, func(a Advance) bool { return a.Source == part.Source })
}

// Take returns the advances that say something, in the order in which their parts came, and forgets
// all. Sources that are about to be read come before the rest, and those that have ended behind it:
// since only the latest of a part is kept, what was said first may have its place further back. The
// slice is valid until the next Add.
func (s *Advances) Take() []Advance {
	all := slices.DeleteFunc(s.list, func(a Advance) bool { return !a.Says() })
	if s.wide {
		slices.SortStableFunc(all, func(a, b Advance) int { return a.place() - b.place() })
	}
	s.list, s.index, s.mixed, s.wide = s.list[:0], nil, false, false
	return all
}

// place is where an advance comes among others that are told together.
func (a Advance) place() int {
	switch {
	case a.Range != AllParts:
		return 1
	case a.Last:
		return 2
	}
	return 0
}
