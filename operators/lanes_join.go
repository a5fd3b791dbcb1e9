package operators

import (
	"context"
	"maps"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// laneJoin is where the pages of all lanes come together, in the goroutine that reads the stream.
//
// Every lane is told how far a part of the source has come, and hands that on behind the rows of
// the part that it has. So a part has come as far as the lane that is most behind.
type laneJoin[U any] struct {
	out     flow.Observer[U]
	account *flow.Account
	knows   func(flow.PartID) bool // whether a part is one of the source's; others are a lane's own
	forgets func(*flow.Origin)     // nothing more is said of a source by any lane
	ended   []bool                 // the lanes that have
	stopped bool
	parts   map[flow.PartID]*lanesPart // that have not ended
}

// lanesPart is how far each lane has come in a part, or in all parts of a source (flow.AllParts).
type lanesPart struct {
	at    flow.Position
	marks []flow.Watermark
	idle  []*flow.Idle
	last  []bool
	told  flow.Advance // what has been handed on
	begun bool         // something has
}

func newLaneJoin[U any](st *rxcql.Stage, out flow.Observer[U], n int, knows func(flow.PartID) bool, forgets func(*flow.Origin)) *laneJoin[U] {
	return &laneJoin[U]{
		out: out, account: st.Account(true), knows: knows, forgets: forgets, ended: make([]bool, n), parts: map[flow.PartID]*lanesPart{},
	}
}

// laneOut is what the chain of one lane hands its pages to.
type laneOut[U any] struct {
	*laneJoin[U]
	lane int
}

func (o *laneOut[U]) Next(ctx context.Context, p *flow.Page[U]) error {
	if p.Range < 0 && p.Range != flow.AllParts || !p.Says() || !o.knows(p.PartID()) {
		return o.out.Next(ctx, p)
	}
	said := p.Hush()
	defer p.Say(said)
	part := o.partOf(said)
	if part.marks[o.lane].Before(said.Watermark) {
		part.marks[o.lane] = said.Watermark
	}
	part.idle[o.lane] = said.Idle
	part.last[o.lane] = part.last[o.lane] || said.Last
	now, news := o.joint(part)
	if len(p.Rows) == 0 && !news {
		return nil
	}
	p.Last, p.Watermark, p.Idle = now.Last, now.Watermark, now.Idle
	return o.out.Next(ctx, p)
}

func (j *laneJoin[U]) partOf(said flow.Advance) *lanesPart {
	part := j.parts[said.PartID()]
	if part == nil {
		n := len(j.ended)
		part = &lanesPart{marks: make([]flow.Watermark, n), idle: make([]*flow.Idle, n), last: make([]bool, n)}
		j.parts[said.PartID()] = part
	}
	part.at = said.Position
	return part
}

// joint returns how far a part has come in all lanes, and reports whether that is farther than what
// has been handed on. A lane that has ended, or has handed on the end of the part, has no more rows
// of it. A part is idle where it is in all other lanes, and since the earliest of their moments:
// lanes that are behind still have rows of the time before they say so.
func (j *laneJoin[U]) joint(part *lanesPart) (now flow.Advance, news bool) {
	var least, most flow.Watermark
	var idle *flow.Idle
	open := 0
	for i, mark := range part.marks {
		if most.Before(mark) {
			most = mark
		}
		if j.ended[i] || part.last[i] {
			continue
		}
		if open == 0 || mark.Before(least) {
			least = mark
		}
		if open == 0 || part.idle[i].At().Before(idle.At()) {
			idle = part.idle[i]
		}
		open++
	}
	now = flow.Advance{Position: part.at, Watermark: least, Idle: idle}
	if now.Last = open == 0; now.Last {
		now.Watermark = most
		j.forget(part.at.PartID())
	}
	news = now.Last || part.told.Watermark.Before(now.Watermark) ||
		now.Idle.At().After(part.told.Idle.At()) || (now.Idle == nil) != (part.told.Idle == nil) ||
		now.Range == flow.AllParts && !part.begun
	part.told, part.begun = now, true
	return now, news
}

// forget forgets a part that has ended, or all parts of a source that have.
func (j *laneJoin[U]) forget(part flow.PartID) {
	delete(j.parts, part)
	if part.Range == flow.AllParts {
		maps.DeleteFunc(j.parts, func(id flow.PartID, _ *lanesPart) bool { return id.Source == part.Source })
		j.forgets(part.Source)
	}
}

// Done is called once a lane. What waited for that lane alone is handed on, unless rows that it had
// may not have come: because reading was stopped.
func (o *laneOut[U]) Done(ctx context.Context, stopped bool) error {
	o.ended[o.lane] = true
	if o.stopped = o.stopped || stopped; o.stopped {
		return nil
	}
	var tells flow.Advances
	for _, id := range slices.SortedFunc(maps.Keys(o.parts), inReport) {
		part := o.parts[id]
		if part == nil { // all parts of its source have ended
			continue
		}
		if now, news := o.joint(part); news {
			tells.Add(now)
		}
	}
	return flow.Tell(ctx, o.account, &tells, o.out)
}

// Demand is what is wanted downstream of all lanes.
func (o *laneOut[U]) Demand() int64 { return flow.DemandOf(o.out) }
