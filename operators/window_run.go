package operators

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/window"
)

// windowStates are the windows of any kind.
type windowStates[T any, K comparable, S any] interface {
	Add(at int64, key K, row *T) (missed int, err error)
	Until() int64
	Advance(t int64, give window.Give[K, S]) error
	Over() int64
	Early(give window.Give[K, S]) error
	Corrections(give window.Give[K, S]) error
	Postpone()
	States() int64
	Bytes() int64
}

// windowing is one run of Window. U is what it hands on.
type windowing[T any, K comparable, S, U any] struct {
	at      func(T) time.Time
	key     func(T) K
	seed    func() S
	fold    func(S, T) (S, error)
	merge   func(earlier, later S) (S, error)
	result  func(WindowResult[K, S]) U
	late    func(row T, missed int) U // nil: late rows are not handed on
	lateRow func(row T) error         // may be nil

	windowConfig
	st       *rxcql.Stage
	out      flow.Observer[U]
	account  *flow.Account
	charge   *charging
	frontier *flow.Frontier
	clock    flow.EventClock
	states   windowStates[T, K, S]
	grid     window.Grid
	sessions *sessionEnds[T, K, S] // nil for other windows
	restored int64                 // windows up to here were durable before this run

	now     int64 // the clock of the states
	earlyAt int64 // when early results were handed on
	upTo    int64 // up to where the frontier has been told that windows are over
	caught  bool  // all has been read that the run before had read
	rows    []U   // a page of results or late rows that is being filled
	parts   windowParts
}

func (w *windowing[T, K, S, U]) begin(st *rxcql.Stage, out flow.Observer[U], cfg windowConfig, windows Windows) {
	w.st, w.out, w.windowConfig = st, out, cfg
	w.account = st.Account(false)
	w.charge = newCharging(w.account)
	w.frontier = st.Frontier()
	w.now, w.earlyAt, w.upTo, w.restored, w.parts.until = window.Never, window.Never, window.Never, window.Never, window.Never
	w.parts.toldAt = window.Never
	if restored := w.frontier.Restored(); restored.Known() {
		w.restored = restored.Time().UnixMicro()
	}
	states := window.Config[T, K, S]{
		Seed: w.seed, Fold: w.fold, Merge: w.merge, Lateness: cfg.lateness.Microseconds(),
		MaxStates: cfg.states, MaxBytes: cfg.bytes,
		SizeRow: rxcql.SizeFunc[T](), SizeKey: rxcql.SizeFunc[K](), SizeState: rxcql.SizeFunc[S](),
		FixedSize: fixedSize(reflect.TypeFor[S]()), Keep: keepKey[K](),
	}
	if windows.kind == kindSession {
		all := window.NewSessions(states, windows.size.Microseconds())
		w.states, w.sessions = all, newSessionEnds(all, w.frontier, windows.size.Microseconds(), w.restored)
		return
	}
	w.grid = windows.grid()
	w.states = window.NewAligned(states, w.grid, w.restored)
}

func (w *windowing[T, K, S, U]) Next(ctx context.Context, p *flow.Page[T]) error {
	if p.Range == flow.AllParts && !p.Last {
		w.clock.Add(p.Advance())
		return flow.HandOn(ctx, p, []U(nil), w.out)
	}
	if len(p.Rows) > 0 {
		if err := w.take(ctx, p); err != nil {
			return err
		}
	}
	w.clock.Add(p.Advance())
	w.parts.add(p.Advance())
	return w.goOn(ctx)
}

// take folds the rows of a page, and has the page held.
func (w *windowing[T, K, S, U]) take(ctx context.Context, p *flow.Page[T]) error {
	late, dropped := 0, 0
	counted := w.restored != window.Never && w.frontier.Counted(p.Reservation)
	if w.sessions != nil {
		w.sessions.page(p.Reservation)
	}
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
		var missed int
		if w.sessions != nil && w.sessions.durable(at, key) {
			missed = 1
		} else if missed, err = w.states.Add(at, key, &p.Rows[i]); err != nil {
			return w.failed(err, p.Rows[i])
		}
		if missed == 0 {
			continue
		}
		isLate, isLost, err := w.missed(at, key, p.Rows[i], missed, counted)
		if err != nil {
			return err
		}
		late, dropped = late+isLate, dropped+isLost
	}
	w.st.CountLate(late)
	w.st.CountDropped(dropped)
	if err := w.handOnLate(ctx, p); err != nil {
		return err
	}
	if until := w.states.Until(); until != window.Never {
		if w.sessions != nil {
			until += w.sessions.gap - 1
		}
		if err := w.frontier.Hold(p.Reservation, watermarkAt(until)); err != nil {
			return w.st.Fail(err)
		}
		w.parts.until = max(w.parts.until, until)
	}
	w.charge.to(w.states.Bytes(), p.Reservation)
	return nil
}

// missed deals with a row of whose windows some are over. The numbers are 1 or 0, to be counted.
func (w *windowing[T, K, S, U]) missed(at int64, key K, row T, missed int, counted bool) (late, dropped int, err error) {
	of, before := 1, 0 // its windows, and those of them that an earlier run has counted it in
	if w.sessions == nil {
		first, last := w.grid.Of(at)
		of = int((last-first)/w.grid.Every) + 1
		if counted {
			before = w.grid.Within(at, w.restored)
		}
	} else if counted && w.sessions.durable(at, key) {
		before = 1
	}
	if missed > before {
		late = 1
	}
	if late > 0 && w.lateRow != nil {
		if err := w.lateRow(row); err != nil {
			return 0, 0, w.st.FailUserFunc(err, row)
		}
	}
	switch {
	case late > 0 && w.late != nil:
		w.rows = append(w.rows, w.late(row, missed-before))
	case missed == of:
		dropped = 1
	}
	return late, dropped, nil
}

// handOnLate hands on the late rows of a page, if that is wanted.
func (w *windowing[T, K, S, U]) handOnLate(ctx context.Context, p *flow.Page[T]) error {
	if len(w.rows) == 0 {
		return nil
	}
	reservation := w.account.Reservation()
	reservation.AddReceipt(w.frontier.Late(p.Reservation))
	reservation.Emit()
	err := w.out.Next(ctx, &flow.Page[U]{Rows: w.rows, Reservation: reservation})
	reservation.Finish(err)
	w.clearRows()
	return err
}

func (w *windowing[T, K, S, U]) clearRows() {
	clear(w.rows)
	w.rows = w.rows[:0]
}

// failed is the error of a row that could not be added.
func (w *windowing[T, K, S, U]) failed(err error, row T) error {
	if !errors.Is(err, window.ErrFull) {
		return w.st.FailUserFunc(err, row)
	}
	return w.st.Fail(fmt.Errorf("%w: it keeps %d states in %d bytes; give WindowKeys or WindowBytes more, make windows or AllowedLateness shorter, "+
		"or see that event time goes on (EventTime, IdleAfter); where rows of a partition come in time order WindowAdjacent keeps one state a part",
		ErrWindowFull, w.states.States(), w.states.Bytes()))
}

func (w *windowing[T, K, S, U]) Done(ctx context.Context, stopped bool) error {
	if stopped {
		w.charge.reservation.Release()
		w.frontier.Abandon()
		return w.out.Done(ctx, true)
	}
	if err := w.closeAll(ctx); err != nil {
		return err
	}
	return w.out.Done(ctx, false)
}

// watermarkAt is the watermark at a time in microseconds.
func watermarkAt(t int64) flow.Watermark {
	switch t {
	case window.Never:
		return flow.Watermark{}
	case window.Forever:
		return flow.Forever
	}
	return flow.WatermarkAt(time.UnixMicro(t))
}
