package source

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/driver"
)

// sliced reads parts by slices. It belongs to one goroutine.
type sliced[T any] struct {
	paged[T]
	*cutting
	rows   *slicedRows[T]
	unread *atomic.Bool // some slice of the source could not be read
	torn   []int64      // tokens of partitions that have such a slice, since the last page
}

// newSliced returns what makes the reader of each worker.
func newSliced[T any](t *table[T], slicing *slicing, unread *atomic.Bool) func(*rxcql.Stage, buffers[T]) partReader[T] {
	about := fetchOf(t.session, t.cfg, slicing.about)
	return func(st *rxcql.Stage, buffers buffers[T]) partReader[T] {
		r := &sliced[T]{
			paged: paged[T]{
				session: t.session, table: slicing.about, stage: st, buffers: buffers, about: about, rate: t.cfg.rate,
				sizing: newSizing(st.Input(), t.cfg.maxRows), cuts: true,
			},
			cutting: newCutting(st, t.session, t.cfg, slicing), unread: unread,
		}
		r.left = r.leaveUnread
		r.rows = newSlicedRows(slicing, readerOf[T](t.cfg, &r.askedAt))
		r.reader = r.rows
		return r
	}
}

// read reads a part, see partReader. The last page has Position.Last set only if all of it could be
// read.
func (r *sliced[T]) read(ctx context.Context, p part, limit func() int64, send func(*fetched[T]) error) error {
	track := p.track
	if track == nil {
		track = r.paged.stage.Track(p.span)
	}
	n, state := track.From()
	place, err := parseSlicePlace(state, p.span, r.columns())
	if err != nil {
		return r.paged.stage.Fail(err)
	}
	had := track.Rows()
	for told := false; !told; {
		if err := track.AwaitRoom(ctx); err != nil {
			return err
		}
		page, err := r.next(ctx, p, place, n, limit)
		if err != nil {
			return err
		}
		told = place.over()
		page.track, page.Last, page.next = track, told && len(place.unread) == 0, nil
		page.Position, r.torn = page.WithTorn(r.torn), nil
		if !page.Last {
			page.next = place.save()
		}
		had += int64(len(page.rows) + len(page.bad))
		page.had = had
		n++
		if err := send(page); err != nil {
			page.Release() // it may not have been delivered
			return err
		}
	}
	return nil
}

// next returns the next page, and moves the place past it. If nothing can be read any more, the
// page has no rows.
func (r *sliced[T]) next(ctx context.Context, p part, place *slicePlace, n int64, limit func() int64) (*fetched[T], error) {
	at := flow.Position{Range: p.index, Page: n}
	for !place.over() {
		first := &place.slices[0]
		p.st = r.statement(r.cfg, first)
		r.hasty = first.cut && !r.atomic(first)
		r.rows.begin(first, r.keyOf(place, first))
		page, err := r.page(ctx, p, at, first.state, limit())
		var notRead *notReadError
		switch {
		case errors.As(err, &notRead):
			if err := r.cutFirst(ctx, place, notRead.err); err != nil {
				return nil, r.failed(ctx, &rxcql.RowError{Range: p.name, Page: n, Row: -1, Err: err})
			}
			continue
		case err != nil:
			return nil, err
		}
		r.failures = 0
		if last := r.rows.last; last != nil {
			place.last, first.begun = last, true
		}
		if first.state = page.next; first.state == nil {
			place.slices = place.slices[1:]
			r.skip(place)
		}
		return page, nil
	}
	reservation, err := r.paged.stage.Input().Reserve(ctx, 1)
	if err != nil {
		return nil, err
	}
	reservation.Resize(0)
	reservation.Position = at
	return &fetched[T]{Page: flow.Page[T]{Reservation: reservation}}, nil
}

// leaveUnread notes that a slice could not be read. The next run of a job asks for it again.
func (r *sliced[T]) leaveUnread(place *slicePlace, s slice, reason driver.Class) {
	r.unread.Store(true)
	r.paged.stage.CountUnread(rxcql.Unread{Tokens: s.tokens, Range: s.tokens.String(), Within: r.within(&s), Reason: reason.String()})
	place.unread = append(place.unread, s)
	if s.inPartition() {
		r.torn = append(r.torn, s.tokens.End)
	}
}
