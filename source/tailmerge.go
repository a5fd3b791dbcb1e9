package source

import (
	"context"
	"slices"

	"github.com/rxcql/rxcql/flow"
)

// merge hands on what is new in the partitions of a bucket, in the order of arrival.
func (r *tailReader[T]) merge(ctx context.Context, passes []*pass[T]) error {
	if !slices.ContainsFunc(passes, func(p *pass[T]) bool { return p.wants() }) {
		return nil
	}
	defer r.endMerge(passes)
	for {
		page, done, err := r.merged(ctx, passes)
		if err != nil {
			return err
		}
		err = r.charge()
		if page != nil && err != nil {
			page.Release()
		} else if page != nil {
			r.gave, r.idle = true, flow.Moment{}
			r.passRereadWithin(passes)
			err = r.handOn(page, false)
		}
		if err != nil || done {
			return err
		}
	}
}

// endMerge gives back what the merge still has.
func (r *tailReader[T]) endMerge(passes []*pass[T]) {
	if r.room != nil {
		r.room.Release()
		r.room = nil
	}
	for _, p := range passes {
		p.drop()
		p.fresh.drop()
	}
}

// merged fetches what is needed to know which row comes next, and goes on as far as that is known.
// It returns a page if there are new rows. done says that there are no more.
func (r *tailReader[T]) merged(ctx context.Context, passes []*pass[T]) (page *fetched[T], done bool, err error) {
	if err := r.track.AwaitRoom(ctx); err != nil {
		return nil, false, err
	}
	if err := r.fill(ctx, passes); err != nil {
		return nil, false, err
	}
	page = &fetched[T]{rows: r.pages.get()}
	for next := r.first(passes); next != nil; next = r.first(passes) {
		if cut := r.sift(next, page, r.second(passes, next)); cut || next.wants() {
			break
		}
	}
	var bytes int64
	done = true
	for _, p := range passes {
		r.settle(p)
		if !p.more() {
			taken, received := p.drop()
			bytes += taken
			page.received += received
		}
		done = done && p.over && !p.more()
	}
	page.Page = flow.Page[T]{Rows: page.rows, Reservation: r.room.Split(bytes)}
	if len(page.rows) == 0 && len(page.bad) == 0 {
		r.pages.put(page.rows)
		page.Release()
		page = nil
	}
	return page, done, nil
}

// fill fetches a page for each partition that has no rows left.
func (r *tailReader[T]) fill(ctx context.Context, passes []*pass[T]) (err error) {
	most := r.limit()
	if most > 0 {
		most = max(most, firstRows) // many of the page may have been given
	}
	var bytes int64
	for _, p := range passes {
		bytes += p.estimate(most)
	}
	if r.room == nil {
		r.room, err = r.stage.Input().Reserve(ctx, bytes)
	} else {
		err = r.room.Refill(ctx, bytes)
	}
	if err != nil {
		return err
	}
	bytes = 0
	for _, p := range passes {
		if p.wants() {
			if err := r.fetch(ctx, p, most); err != nil {
				r.room.Finish(err) // see paged.page
				return err
			}
		}
		bytes += p.bytes
	}
	r.room.Resize(bytes)
	return nil
}

// first returns the partition whose next row arrived first, nil if no row is left, or the next
// one is not known.
func (r *tailReader[T]) first(passes []*pass[T]) (first *pass[T]) {
	for _, p := range passes {
		switch {
		case p.wants():
			return nil
		case p.more() && (first == nil || p.arrived < first.arrived):
			first = p
		}
	}
	return first
}

// second returns when the next row of the other partitions arrived.
func (r *tailReader[T]) second(passes []*pass[T], first *pass[T]) int64 {
	arrived := int64(forever)
	for _, p := range passes {
		if p != first && p.more() {
			arrived = min(arrived, p.arrived)
		}
	}
	return arrived
}
