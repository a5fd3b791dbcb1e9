package operators

import (
	"slices"

	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/window"
)

// windowParts is what parts have said that a Window reads, until that is handed on. Results may be
// of any part, so what is told of a part is not farther than the windows that are over.
type windowParts struct {
	list   []*windowPart // in the order in which they came
	index  map[flow.PartID]*windowPart
	until  int64 // the latest end of a window that rows were counted in
	toldAt int64
	ended  int   // parts whose end waits to be told
	first  int64 // the first of these waits for windows up to here
}

type windowPart struct {
	said  flow.Advance
	told  flow.Watermark
	until int64 // of an ended part: its end is told when windows are over up to there
}

// add notes what a page says.
func (w *windowParts) add(a flow.Advance) {
	if a.Range < 0 && a.Range != flow.AllParts || !a.Says() {
		return
	}
	part := w.index[a.PartID()]
	if part == nil {
		part = &windowPart{}
		if w.index == nil {
			w.index = map[flow.PartID]*windowPart{}
		}
		w.index[a.PartID()] = part
		w.list = append(w.list, part)
	}
	if a.Watermark.Before(part.said.Watermark) {
		a.Watermark = part.said.Watermark
	}
	if a.Last = a.Last || part.said.Last; a.Last && !part.said.Last {
		part.until = w.until
		if w.ended == 0 { // until never goes back
			w.first = w.until
		}
		w.ended++
	}
	part.said = a
}

// news returns what is to be handed on now: how far parts have come, to now at most, and where the
// grid has windows only when now has come to another of their starts; and the ends of parts. over
// is up to where windows are over. That a part is idle is handed on at the end alone: before that
// results are still to come of rows that it had.
func (w *windowParts) news(grid window.Grid, now, over int64) (all flow.Advances) {
	at := now
	if grid.Every > 0 && now != window.Never {
		_, at = grid.Of(now)
	}
	isOver := func(p *windowPart) bool { return p.said.Last && p.until <= over }
	if at <= w.toldAt && (w.ended == 0 || w.first > over) {
		return all
	}
	w.toldAt, w.first = max(w.toldAt, at), window.Forever
	limit := watermarkAt(now)
	for _, p := range w.list {
		if isOver(p) {
			all.Add(p.said)
			w.ended--
			w.forget(p.said.PartID())
			continue
		}
		if p.said.Last {
			w.first = min(w.first, p.until)
		}
		mark := p.said.Watermark
		if limit.Before(mark) {
			mark = limit
		}
		if p.told.Before(mark) {
			p.told = mark
			say := p.said
			say.Last, say.Watermark, say.Idle = false, mark, nil
			all.Add(say)
		}
	}
	if len(w.index) < len(w.list) {
		w.list = slices.DeleteFunc(w.list, func(p *windowPart) bool { return w.index[p.said.PartID()] != p })
	}
	return all
}

// forget forgets a part that has ended, or all parts of a source that have.
func (w *windowParts) forget(id flow.PartID) {
	delete(w.index, id)
	if id.Range != flow.AllParts {
		return
	}
	for other, p := range w.index {
		if other.Source == id.Source {
			delete(w.index, other)
			if p.said.Last {
				w.ended--
			}
		}
	}
}

// takeAll returns all that was said.
func (w *windowParts) takeAll() (all flow.Advances) {
	for _, p := range w.list {
		all.Add(p.said)
	}
	w.list, w.index, w.ended = nil, nil, 0
	return all
}
