package operators

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/rxcql/rxcql/flow"
)

func (g *grouping[T, K, S]) Done(ctx context.Context, stopped bool) error {
	for _, part := range slices.SortedFunc(maps.Keys(g.ranges), inReport) {
		if stopped {
			g.st.Abandon(g.ranges[part].reservation)
			delete(g.ranges, part)
		} else if err := g.close(ctx, part); err != nil {
			return err
		}
	}
	return g.out.Done(ctx, stopped)
}

// close hands on the open group of a part of which nothing more comes.
func (g *grouping[T, K, S]) close(ctx context.Context, part flow.PartID) error {
	open := g.ranges[part]
	delete(g.ranges, part)
	open.reservation.Watermark = g.times[part]
	p := &flow.Page[Group[K, S]]{Rows: []Group[K, S]{open.Group}, Reservation: open.reservation}
	return flow.Emit(ctx, g.account, p, nil, g.out)
}

// allParts hands on what is said of all parts of a source. If they have ended, so have their
// groups.
func (g *grouping[T, K, S]) allParts(ctx context.Context, p *flow.Page[T]) error {
	if p.Last {
		for _, part := range slices.SortedFunc(maps.Keys(g.ranges), inReport) {
			if part.Source != p.Source {
				continue
			}
			if err := g.close(ctx, part); err != nil {
				return err
			}
		}
		maps.DeleteFunc(g.times, func(part flow.PartID, _ flow.Watermark) bool { return part.Source == p.Source })
		maps.DeleteFunc(g.durable, func(part flow.PartID, _ []byte) bool { return part.Source == p.Source })
	}
	return flow.HandOn(ctx, p, []Group[K, S](nil), g.out)
}

// inReport orders parts by source, as in the report, and then by range.
func inReport(a, b flow.PartID) int {
	number := func(o *flow.Origin) int {
		if o == nil {
			return -1
		}
		return o.Number
	}
	return cmp.Or(cmp.Compare(number(a.Source), number(b.Source)), cmp.Compare(a.Range, b.Range))
}

// giveUp gives up the groups that are open when the stream has ended with err.
func (g *grouping[T, K, S]) giveUp(err error) {
	for _, open := range g.ranges {
		open.reservation.Finish(err)
	}
}
