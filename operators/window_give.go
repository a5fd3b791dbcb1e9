package operators

import (
	"context"
	"time"

	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/window"
)

// goOn hands on what is due behind a page.
func (w *windowing[T, K, S, U]) goOn(ctx context.Context) error {
	lateness := w.lateness.Microseconds()
	w.caught = w.caught || w.frontier.CaughtUp()
	t := w.now
	if now := w.clock.Now(); now.Known() && now != flow.Forever { // at the end Done follows
		t = now.Time().UnixMicro()
		if !w.caught { // a result that may still be corrected would replace one with more rows
			t = window.Less(t, lateness)
		}
	}
	if moved := t > w.now; moved || lateness > 0 {
		err := w.handOn(ctx, func(give window.Give[K, S]) error {
			if err := w.correct(give); err != nil || !moved {
				return err
			}
			w.now = t
			if err := w.states.Advance(t, give); err != nil {
				return err
			}
			return w.giveEarly(give)
		})
		if err != nil {
			return err
		}
		w.charge.to(w.states.Bytes(), nil)
	}
	news := w.parts.news(w.grid, window.Less(w.now, lateness), w.upTo)
	return flow.Tell(ctx, w.account, &news, w.out)
}

// correct gives corrected results, or leaves them for later.
func (w *windowing[T, K, S, U]) correct(give window.Give[K, S]) error {
	switch {
	case w.lateness == 0:
		return nil
	case w.caught:
		return w.states.Corrections(give)
	}
	w.states.Postpone()
	return nil
}

// giveEarly gives early results, if it is time.
func (w *windowing[T, K, S, U]) giveEarly(give window.Give[K, S]) error {
	if w.early == 0 {
		return nil
	}
	before := w.earlyAt
	w.earlyAt, _ = window.Grid{Size: w.early.Microseconds(), Every: w.early.Microseconds()}.Of(w.now)
	if before == window.Never || before == w.earlyAt || !w.caught {
		return nil
	}
	return w.states.Early(give)
}

// closeAll hands on all that there is, at the end of the stream.
func (w *windowing[T, K, S, U]) closeAll(ctx context.Context) error {
	err := w.handOn(ctx, func(give window.Give[K, S]) error { return w.states.Advance(window.Forever, give) })
	if err != nil {
		return err
	}
	w.charge.to(0, nil)
	all := w.parts.takeAll()
	return flow.Tell(ctx, w.account, &all, w.out)
}

// results are results that are being handed on.
type results struct {
	more    *flow.Reservation // moves until all of them have been handed on; nil if there are none
	durable *flow.Receipt     // of the frontier, for all of them
}

// handOn hands on the results that fn gives, and tells the frontier of the windows that are over
// behind them. The windows are durable when all of the results are.
func (w *windowing[T, K, S, U]) handOn(ctx context.Context, fn func(give window.Give[K, S]) error) error {
	r := &results{}
	err := fn(func(s *window.State[K, S], start, end int64, kind window.Kind) error {
		if r.more == nil {
			r.more = w.account.Reservation()
			r.more.AddReceipt(flow.NewReceipt(func() { r.durable.Settle() }))
			r.more.Emit()
		}
		w.rows = append(w.rows, w.result(WindowResult[K, S]{
			Key: s.Key, Start: time.UnixMicro(start).UTC(), End: time.UnixMicro(end).UTC(),
			Value: s.Value, Rows: s.Rows, Late: s.Late, Kind: WindowKind(kind),
		}))
		if len(w.rows) < flow.DefaultPageRows {
			return nil
		}
		return w.flush(ctx, r)
	})
	if err == nil && len(w.rows) > 0 {
		err = w.flush(ctx, r)
	}
	switch {
	case err != nil && !flow.IsEnd(err):
		if r.more != nil {
			r.more.Finish(err)
		}
	case r.more != nil:
		r.durable = w.isOver()
		r.more.Finish(err)
	default:
		w.isOver().Settle()
	}
	return err
}

// flush hands on a page of results.
func (w *windowing[T, K, S, U]) flush(ctx context.Context, r *results) error {
	reservation := w.account.Reservation()
	reservation.Take(r.more, 0)
	reservation.Emit()
	err := w.out.Next(ctx, &flow.Page[U]{Rows: w.rows, Reservation: reservation})
	reservation.Finish(err)
	w.clearRows()
	return err
}

// isOver tells the frontier which windows are over, and returns the receipt of the results that
// were given since it was last called.
func (w *windowing[T, K, S, U]) isOver() *flow.Receipt {
	upTo := w.states.Over()
	var ended []flow.SessionEnd
	if w.sessions != nil {
		upTo, ended = w.sessions.ended(upTo)
	}
	w.upTo = max(w.upTo, upTo)
	return w.frontier.Receipt(watermarkAt(w.upTo), ended...)
}
