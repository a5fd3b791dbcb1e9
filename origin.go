package rxcql

import (
	"context"
	"slices"

	"github.com/rxcql/rxcql/flow"
)

// Origin is a new source that pages can be from, under the stage's name. It is for an operator
// that makes pages which belong to no part of its input, as Rx does: one each time that the
// operator is run. Pages of a source get theirs from the engine.
func (s *Stage) Origin() *flow.Origin {
	r := s.run
	r.mu.Lock()
	defer r.mu.Unlock()
	o := &flow.Origin{Name: s.name, Number: slices.Index(r.order, s)}
	sources := 0
	for _, each := range r.order {
		if each.node.info.Source {
			sources++
		}
	}
	o.Several = sources > 1
	return o
}

// Parts says what a source knows of its parts before it reads: how many there are, at least. ctx is
// that of the source's run function, or made from it. Sources call it before they deliver their
// first page, and without the parts that Resume has named as done. Each part then has pages (one
// without rows if need be), the last of which has flow.Position.Last set.
//
// Stages that wait for event time (flow.EventClock) know by that when all parts have begun. Without
// it they wait for the end of the source.
func (s *Stage) Parts(ctx context.Context, p flow.Parts) {
	if in := s.Input(); in != nil {
		in.SetParts(ctx, p)
	}
}
