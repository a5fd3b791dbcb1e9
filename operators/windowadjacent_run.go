package operators

import (
	"context"
	"maps"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

func (w *adjacentWindows[T, K, S]) Next(ctx context.Context, p *flow.Page[T]) error {
	if p.Range == flow.AllParts {
		return w.allParts(ctx, p)
	}
	part := w.parts[p.PartID()]
	if part == nil {
		part = &adjacentPart[K, S]{}
		w.parts[p.PartID()] = part
	}
	if err := w.take(ctx, p, part); err != nil {
		return err
	}
	if p.Last {
		w.endPart(p, part)
		delete(w.parts, p.PartID())
	} else {
		w.hold(p, part)
	}
	if part.said.Before(p.Watermark) {
		part.said = p.Watermark
	}
	said := p.Advance()
	defer p.Say(said)
	p.Watermark = part.watermark()
	if len(part.open) > 0 { // results of earlier rows are still to come
		p.Idle = nil
	}
	news := p.Last || part.told.Before(p.Watermark) || len(part.open) == 0 && p.Says()
	if len(w.ended) == 0 && !news {
		return nil
	}
	part.told = p.Watermark
	if w.held == nil {
		return w.handOn(ctx, p.Reservation)
	}
	// One page under one reservation: windows with rows of earlier pages are durable no earlier than
	// the page that they ended in.
	held := w.held
	w.held = nil
	held.Take(p.Reservation, p.Bytes())
	held.Emit()
	held.Say(p.Advance())
	err := w.handOn(ctx, held)
	held.Finish(err)
	return err
}

// take folds the rows of a page.
func (w *adjacentWindows[T, K, S]) take(ctx context.Context, p *flow.Page[T], part *adjacentPart[K, S]) error {
	if err := w.restore(p, part); err != nil {
		return err
	}
	past, again, dropped := part.past, false, 0
	for i := range p.Rows {
		at, err := eventTime(w.at(p.Rows[i]))
		if err != nil {
			failed := rxcql.FailedRow{Position: p.Position, Index: i, Row: p.Rows[i], Err: err}
			if err := w.st.RowFailed(ctx, p.Reservation, failed); err != nil {
				return err
			}
			continue
		}
		key := w.key(p.Rows[i])
		if !part.begun || key != part.key {
			w.closeAll(part)
			part.key, part.begun, part.from, part.to = key, true, 0, 0
			part.was.lo, part.was.hi = 0, 0
			part.keys++
			part.pastIs(key)
		}
		if at < part.from || at >= part.to {
			direction := w.moveTo(part, at)
			if direction*w.direction < 0 {
				return w.wrongOrder(p, i)
			}
			if direction != 0 {
				w.direction = direction
			}
		}
		again = again || part.again
		if len(part.open) == 0 { // all of its windows are durable
			dropped++
			continue
		}
		for j := range part.open {
			open := &part.open[j]
			value, err := w.fold(open.value, p.Rows[i])
			if err != nil {
				return w.st.FailUserFunc(err, p.Rows[i])
			}
			open.value = value
			open.rows++
		}
	}
	w.st.CountDropped(dropped)
	if !again {
		return nil
	}
	return w.leave(p, part, past)
}

// watermark is how far downstream may take the part to be: results are later than the beginning of
// their window.
func (part *adjacentPart[K, S]) watermark() flow.Watermark {
	mark := part.said
	for i := range part.open {
		if start := watermarkAt(part.open[i].start); start.Before(mark) {
			mark = start
		}
	}
	return mark
}

// hold keeps the receipt of a page for the windows that are open at its end.
func (w *adjacentWindows[T, K, S]) hold(p *flow.Page[T], part *adjacentPart[K, S]) {
	if len(p.Rows) == 0 || len(part.open) == 0 {
		return
	}
	for i := range part.open {
		open := &part.open[i]
		if open.reservation == nil {
			open.reservation = w.account.Reservation()
			open.reservation.Position = p.Position
		}
		open.reservation.Take(p.Reservation, 0)
	}
	if p.Tracked() {
		w.snapshot(p, part)
	}
}

// handOn hands on the windows that have ended, in pages of up to 512.
func (w *adjacentWindows[T, K, S]) handOn(ctx context.Context, reservation *flow.Reservation) (err error) {
	rows := w.ended
	said := reservation.Hush()
	for len(rows) > flow.DefaultPageRows && err == nil {
		err = w.out.Next(ctx, &flow.Page[WindowResult[K, S]]{Rows: rows[:flow.DefaultPageRows], Reservation: reservation})
		rows = rows[flow.DefaultPageRows:]
	}
	reservation.Say(said)
	if err == nil {
		err = w.out.Next(ctx, &flow.Page[WindowResult[K, S]]{Rows: rows, Reservation: reservation})
	}
	clear(w.ended)
	w.ended = w.ended[:0]
	return err
}

func (w *adjacentWindows[T, K, S]) Done(ctx context.Context, stopped bool) error {
	for _, id := range slices.SortedFunc(maps.Keys(w.parts), inReport) {
		part := w.parts[id]
		delete(w.parts, id)
		if !stopped {
			if err := w.finish(ctx, part); err != nil {
				return err
			}
			continue
		}
		for i := range part.open {
			if reservation := part.open[i].reservation; reservation != nil {
				w.st.Abandon(reservation)
			}
		}
		part.letGo()
	}
	return w.out.Done(ctx, stopped)
}

// finish hands on the open windows of a part of which nothing more comes.
func (w *adjacentWindows[T, K, S]) finish(ctx context.Context, part *adjacentPart[K, S]) error {
	w.closeAll(part)
	part.letGo()
	held := w.held
	if held == nil { // none is open
		return nil
	}
	w.held = nil
	held.Emit()
	held.Watermark = part.said
	err := w.handOn(ctx, held)
	held.Finish(err)
	return err
}

// allParts hands on what is said of all parts of a source. If they have ended, so have their
// windows.
func (w *adjacentWindows[T, K, S]) allParts(ctx context.Context, p *flow.Page[T]) error {
	if p.Last {
		for _, id := range slices.SortedFunc(maps.Keys(w.parts), inReport) {
			if id.Source != p.Source {
				continue
			}
			part := w.parts[id]
			delete(w.parts, id)
			if err := w.finish(ctx, part); err != nil {
				return err
			}
		}
	}
	return flow.HandOn(ctx, p, []WindowResult[K, S](nil), w.out)
}
