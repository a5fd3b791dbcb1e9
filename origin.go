package rxcql

import (
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
