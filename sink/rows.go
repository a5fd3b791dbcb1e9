package sink

import (
	"context"
	"errors"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// rowsWriter works on rows one by one, in the background.
type rowsWriter[T any] struct {
	st      *rxcql.Stage
	account *flow.Account
	size    func(*T) int
	own     func(T) T
	prepare func(T) (func(context.Context) error, error)
	send    func(context.Context, func(context.Context) error) (unsure bool, err error)
	giveUp  func()                             // called by Close, for what send still waits for
	keep    func(*T) *keptRow                  // nil unless failed rows are needed
	blame   func(context.Context, error) error // of an error of a job: returns nil if the row is to blame, else the error to end with
	same    sameness
	workers *workers[rowJob]
}

// rowJob is one row in flight.
type rowJob struct {
	run   func(context.Context) error
	share *share
	at    flow.Position
	index int
	bytes int64
	kept  *keptRow
}

// openRows makes a writer that calls prepare with every row in the writing goroutine, in order, and
// what prepare returns in the background. The rows are copies that refer to no page: what prepare
// returns may contain parts of them, and rows selected from many pages would keep all of these
// alive.
func openRows[T any](ctx context.Context, r *rxcql.Execution, name string, limit int,
	prepare func(T) (func(context.Context) error, error),
) *rowsWriter[T] {
	st := r.SinkStage(name)
	w := &rowsWriter[T]{
		st: st, account: st.Account(true), size: rxcql.SizeFunc[T](), own: rxcql.CloneFunc[T](), prepare: prepare, send: once, giveUp: func() {}, keep: keeping[T](st),
	}
	w.workers = newWorkers(ctx, st, newFlight(limit, maxFlightBytes), func(j rowJob) int64 { return j.bytes }, w.do)
	return w
}

// once runs a job without retries.
func once(ctx context.Context, run func(context.Context) error) (bool, error) { return false, run(ctx) }

func (w *rowsWriter[T]) Write(ctx context.Context, p *flow.Page[T]) error {
	if err := w.workers.failed.get(); err != nil {
		return err
	}
	w.st.CountIn(len(p.Rows))
	if len(p.Rows) == 0 {
		return nil
	}
	var bytes int64
	for i := range p.Rows {
		bytes += int64(w.size(&p.Rows[i]))
	}
	if w.keep != nil {
		bytes *= 2
	}
	s := newShare(w.account, p.Reservation, len(p.Rows), bytes)
	left := len(p.Rows)
	defer func() {
		if left > 0 { // also if a function of the user's does not return
			s.done(left, false)
		}
	}()
	for i := range p.Rows {
		job := rowJob{share: s, at: p.Position, index: i, bytes: int64(w.size(&p.Rows[i]))}
		if w.keep != nil {
			job.kept = w.keep(&p.Rows[i])
		}
		if err := w.hand(ctx, p.Rows[i], job); err != nil {
			return err
		}
		left--
	}
	return nil
}

func (w *rowsWriter[T]) hand(ctx context.Context, row T, job rowJob) error {
	var unfit error
	err := w.st.Protect(func() error {
		job.run, unfit = w.prepare(w.own(row))
		return nil
	})
	switch {
	case err != nil:
		return err
	case unfit == nil:
		return w.workers.hand(ctx, job)
	}
	if err = w.failed(ctx, job, unfit); err == nil {
		job.share.done(1, true)
	}
	return err
}

// failed tells the run of a row that failed. If it returns nil, the row has been dealt with.
func (w *rowsWriter[T]) failed(ctx context.Context, job rowJob, err error) error {
	f := rxcql.FailedRow{Position: job.at, Index: job.index, Row: job.kept.row(), Err: err}
	if said := (*usersError)(nil); errors.As(err, &said) {
		f.Row, f.Err, f.Users = said.row, said.err, true
	}
	return w.st.RowFailed(ctx, job.share.reservation, f)
}

func (w *rowsWriter[T]) do(ctx context.Context, job rowJob) error {
	ok := false
	defer func() { job.share.done(1, ok) }()
	if err := w.workers.over(); err != nil {
		return err
	}
	if unsure, err := w.send(ctx, job.run); err != nil {
		if unsure {
			w.st.CountUnknown(1)
		}
		if w.blame != nil {
			if other := w.blame(ctx, err); other != nil {
				return w.st.Fail(rowError(job.at, job.index, other))
			}
		}
		err = w.failed(ctx, job, err)
		ok = err == nil
		return err
	}
	ok = true
	w.st.CountWritten(1)
	return nil
}

func (w *rowsWriter[T]) Flush(ctx context.Context) error {
	if err := w.workers.flush(ctx); err != nil {
		return err
	}
	return w.st.Fail(unchanged(ctx, w.same))
}

func (w *rowsWriter[T]) Close() error {
	w.giveUp()
	return w.workers.close()
}
