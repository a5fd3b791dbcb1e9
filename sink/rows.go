package sink

import (
	"context"

	"github.com/rxcql/rxcql"
)

// rowsWriter works on rows one by one, in the background.
type rowsWriter[T any] struct {
	st      *rxcql.Stage
	account *rxcql.Account
	size    func(*T) int
	prepare func(T) (func(context.Context) error, error)
	send    func(context.Context, func(context.Context) error) (unsure bool, err error)
	workers *workers[rowJob]
}

// rowJob is one row in flight.
type rowJob struct {
	run   func(context.Context) error
	share *share
	at    rxcql.Position
	index int
	bytes int64
}

// openRows makes a writer that calls prepare with every row in the writing
// goroutine, in order, and what prepare returns in the background.
func openRows[T any](ctx context.Context, r *rxcql.Run, name string, limit int,
	prepare func(T) (func(context.Context) error, error),
) *rowsWriter[T] {
	st := r.SinkStage(name)
	w := &rowsWriter[T]{st: st, account: st.Account(true), size: rxcql.SizeOf[T](), prepare: prepare, send: once}
	w.workers = newWorkers(ctx, st, limit, func(j rowJob) int64 { return j.bytes }, w.do)
	return w
}

// once runs a job as it is.
func once(ctx context.Context, run func(context.Context) error) (bool, error) { return false, run(ctx) }

func (w *rowsWriter[T]) Write(ctx context.Context, p *rxcql.Page[T]) error {
	if err := w.workers.failed.get(); err != nil {
		return err
	}
	w.st.Took(len(p.Rows))
	if len(p.Rows) == 0 {
		return nil
	}
	var bytes int64
	for i := range p.Rows {
		bytes += int64(w.size(&p.Rows[i]))
	}
	s := newShare(w.account, p.Lease, len(p.Rows), bytes)
	for i := range p.Rows {
		job := rowJob{share: s, at: p.Position, index: i, bytes: int64(w.size(&p.Rows[i]))}
		if err := w.hand(ctx, p.Rows[i], job); err != nil {
			s.done(len(p.Rows)-i, false)
			return err
		}
	}
	return nil
}

func (w *rowsWriter[T]) hand(ctx context.Context, row T, job rowJob) error {
	err := w.st.Protect(func() (err error) {
		if job.run, err = w.prepare(row); err != nil {
			return w.st.Fail(rowError(job.at, job.index, err))
		}
		return nil
	})
	if err != nil {
		return err
	}
	return w.workers.hand(ctx, job)
}

func (w *rowsWriter[T]) do(ctx context.Context, job rowJob) error {
	ok := false
	defer func() { job.share.done(1, ok) }()
	if unsure, err := w.send(ctx, job.run); err != nil {
		if unsure {
			w.st.Unknown(1)
		}
		return w.st.Fail(rowError(job.at, job.index, err))
	}
	ok = true
	w.st.Written(1)
	return nil
}

func (w *rowsWriter[T]) Flush(ctx context.Context) error { return w.workers.flush(ctx) }

func (w *rowsWriter[T]) Close() error { return w.workers.close() }
