package source

import (
	"context"

	"github.com/rxcql/rxcql/flow"
)

// tailReread is for a job with windows that goes on. It reads again what was counted in windows
// that are not durable: all from what is settled up to where the run before had read. Other rows
// may have become visible in between since, and these no run has read. To tell the two apart by
// their number in the part, as is done for other sources, would be wrong by as many rows. So the
// tail tells them apart by the place up to which that run had read (flow.Track.ReadByState), and
// hands them on in pages of their own, in the same order.
type tailReread struct {
	place *tailPlace // up to where the run before had read
	last  int64      // all that it had read is in buckets up to this one,
	upper int64      // and arrived before
	over  bool       // all of it is handed on with the next page

	before bool // of the page that is being filled: the run before had read its rows
}

func newTailReread(place *tailPlace) *tailReread {
	r := &tailReread{place: place, last: place.first - 1, upper: place.from}
	reach := func(of tailPartition, before int64) {
		r.last, r.upper = max(r.last, of.bucket), max(r.upper, before)
	}
	for of, edge := range place.edges {
		reach(of, edge.at)
		if edge.after != nil {
			reach(of, edge.at+1)
		}
	}
	for of, seen := range place.seen {
		for _, row := range seen {
			reach(of, row.arrived+1)
		}
	}
	return r
}

// isOver reports whether a bucket that ends there was over for the run before.
func (r *tailReread) isOver(next int64) bool { return r != nil && next <= r.place.first }

// keys returns how many rows are remembered for it.
func (r *tailReread) keys() int {
	if r == nil {
		return 0
	}
	return r.place.keys
}

// beginReread finds out what is to be read again.
func (r *tailReader[T]) beginReread() error {
	rows, state := r.track.Read()
	switch {
	case rows <= r.track.Rows():
		return nil
	case state == nil: // it is not known what was read
		r.track.PassedRead()
		return nil
	}
	place, err := parseTailPlace(state, len(r.plan.about.ClusteringKey))
	if err != nil {
		return r.stage.Fail(err)
	}
	r.reread = newTailReread(place)
	return nil
}

// hadRead reports whether the run before had read the next row.
func (r *tailReader[T]) hadRead(p *pass[T], all, cells [][]byte) bool {
	was := r.reread.place
	edge := was.edge(p.of)
	if p.of.bucket < was.first || p.arrived < edge.at {
		return true
	}
	if edge.after != nil && p.arrived == edge.at && !r.isPast(&edge, cells) {
		return true
	}
	seen := was.seen[p.of]
	return len(seen) > 0 && seen.has(r.key(p, all, cells))
}

// passReread notes that what the run before had read is behind, if it is when the bucket is next.
func (r *tailReader[T]) passReread(ctx context.Context, start int64) error {
	if r.reread == nil || start <= r.reread.last {
		return nil
	}
	r.reread.over = true
	return r.tell(ctx, flow.Moment{}, false)
}

// passRereadWithin is the same in the middle of a bucket: there may be a backlog in it.
func (r *tailReader[T]) passRereadWithin(passes []*pass[T]) {
	if r.reread == nil || passes[0].of.bucket < r.reread.last {
		return
	}
	for _, p := range passes {
		if (p.more() || !p.over) && p.arrived < r.reread.upper {
			return
		}
	}
	r.reread.over = true
}
