package source

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/keyorder"
)

// mostCuts is how many requests in a row may fail before the reason is taken for another than what
// they ask for. A row is found in fewer cuts: 64 of tokens, and as many of each number in its key.
const mostCuts = 256

// sliced reads parts by slices. It belongs to one goroutine.
type sliced[T any] struct {
	paged[T]
	rows     *slicedRows[T]
	slicing  *slicing
	cfg      readConfig
	order    *keyorder.Order // of partition keys
	failures int             // requests that failed since the last page
	unread   *atomic.Bool    // some slice of the source could not be read
}

// newSliced returns what makes the reader of each worker.
func newSliced[T any](t *table[T], slicing *slicing, unread *atomic.Bool) func(*rxcql.Stage, buffers[T]) partReader[T] {
	about := fetchOf(t.session, t.cfg, slicing.about)
	return func(st *rxcql.Stage, buffers buffers[T]) partReader[T] {
		rows := newSlicedRows[T](slicing)
		order, _ := keyorder.New(slicing.partition) // fails for clustering columns only
		return &sliced[T]{
			paged: paged[T]{
				session: t.session, stage: st, buffers: buffers, about: about, rate: t.cfg.rate,
				sizing: newSizing(st.Input(), t.cfg.maxRows), reader: rows, cuts: true,
			},
			rows: rows, slicing: slicing, cfg: t.cfg, order: order, unread: unread,
		}
	}
}

// read reads a part, see partReader. The last page has Position.Last set only if all of it could be
// read.
func (r *sliced[T]) read(ctx context.Context, p part, limit func() int64, send func(*fetched[T]) error) error {
	track := p.track
	if track == nil {
		track = r.stage.Track(p.span)
	}
	n, state := track.From()
	place, err := parseSlicePlace(state, p.span, r.slicing.columns())
	if err != nil {
		return r.stage.Fail(err)
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
		p.st = r.slicing.statement(r.cfg, first)
		r.hasty = first.cut && !r.atomic(first)
		r.rows.begin(first, r.keyOf(place, first))
		page, err := r.page(ctx, p, at, first.state, limit())
		var notRead *notReadError
		switch {
		case errors.As(err, &notRead):
			if err := r.cutFirst(ctx, p, at, place, notRead.err); err != nil {
				return nil, err
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
	reservation, err := r.stage.Input().Reserve(ctx, 1)
	if err != nil {
		return nil, err
	}
	reservation.Resize(0)
	reservation.Position = at
	return &fetched[T]{Page: flow.Page[T]{Reservation: reservation}}, nil
}

// atomic reports whether a slice cannot be cut.
func (r *sliced[T]) atomic(s *slice) bool { return !s.begun && r.slicing.halves(*s) == nil }

// keyOf returns the partition key that all rows of a slice must have: a slice of one partition has
// no other. It is nil if that is not known yet, or the slice may have several partitions.
func (r *sliced[T]) keyOf(place *slicePlace, s *slice) [][]byte {
	if !s.inPartition() || place.last == nil || r.tokenOf(place.last) != s.tokens.End {
		return nil
	}
	return place.last[:r.slicing.partition]
}

func (r *sliced[T]) tokenOf(key [][]byte) int64 { return r.order.Token(&keyorder.Key{Cells: key}) }

// skip leaves out slices for static columns alone of a partition of which a row has been read.
func (r *sliced[T]) skip(place *slicePlace) {
	for !place.over() && place.slices[0].statics && place.last != nil && r.tokenOf(place.last) == place.slices[0].tokens.End {
		place.slices = place.slices[1:]
	}
}

// cutFirst cuts the first slice of a place, after a page of it failed. If it cannot be cut, it is
// left unread.
func (r *sliced[T]) cutFirst(ctx context.Context, p part, at flow.Position, place *slicePlace, failed error) error {
	r.stage.CountRetry(failed)
	r.failures++
	first := place.slices[0]
	fail := func(err error) error {
		return r.failed(ctx, &rxcql.RowError{Range: p.name, Page: at.Page, Row: -1, Err: err})
	}
	var pieces []slice
	switch {
	case r.failures > mostCuts && !tooManyTombstones(failed):
		return fail(failed)
	case first.begun && place.last == nil: // by a run without AdaptiveSplits
		return fail(fmt.Errorf("%w (the job was begun without source.AdaptiveSplits, so this range cannot be cut where it is: begin the job anew)", failed))
	case first.begun && r.slicing.tuple != "":
		return fail(fmt.Errorf("%w (the range cannot be cut behind a row: clustering column %q is a tuple, which the driver cannot bind)", failed, r.slicing.tuple))
	case first.begun:
		token := r.tokenOf(place.last)
		if !first.inPartition() {
			if err := r.alone(ctx, token); err != nil {
				return fail(err)
			}
		}
		pieces = r.slicing.behind(first, place.last, token)
	case r.failures <= mostCuts:
		pieces = r.slicing.halves(first)
	}
	if pieces == nil && !first.begun {
		r.leave(place, failed)
		return nil
	}
	place.slices = append(pieces, place.slices[1:]...)
	r.skip(place)
	return nil
}

// leave leaves the first slice of a place unread.
func (r *sliced[T]) leave(place *slicePlace, failed error) {
	first := place.slices[0]
	first.state = nil              // no row of it has been read
	if tooManyTombstones(failed) { // else a server that answers nothing would have all left, one by one
		r.failures = 0
	}
	r.unread.Store(true)
	r.stage.CountUnread(rxcql.Unread{
		Range: first.tokens.String(), Within: r.slicing.within(&first), Reason: driver.Classify(failed).String(),
	})
	place.slices, place.unread = place.slices[1:], append(place.unread, first)
	r.skip(place)
}

// alone fails if more than one partition has the token. The rows of others would be lost where one
// is cut.
func (r *sliced[T]) alone(ctx context.Context, token int64) error {
	st := r.slicing.onePerPartition(r.cfg, flow.TokenRange{Start: token - 1, End: token})
	found := 0
	for state := []byte(nil); ; {
		var got *driver.Page
		ask := func(int) (err error) {
			if err := r.rate.AwaitRequest(ctx, r.stage); err != nil {
				return err
			}
			got, err = r.session.Fetch(ctx, st, firstRows, state)
			return err
		}
		err := ask(0)
		if err != nil && driver.MayPass(err) {
			err = r.stage.Retry(ctx, err, driver.MayPass, ask)
		}
		if err != nil {
			return fmt.Errorf("asking which partitions have the token %d: %w", token, err)
		}
		if found += got.Rows(); found > 1 {
			return &twoPartitionsError{token}
		}
		if state = got.Next(); state == nil {
			return nil
		}
	}
}

// twoPartitionsError says that a partition cannot be cut because another one has its token.
type twoPartitionsError struct{ token int64 }

func (e *twoPartitionsError) Error() string {
	return fmt.Sprintf("two partitions have the token %d, and one of them is too large to be read at once: "+
		"read these two by source.Query, or raise the server's tombstone_failure_threshold", e.token)
}
