package rxcqltest_test

import (
	"context"
	"errors"
	"sync"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// shelfSink puts rows on a shelf, some at a time, in the background. Functions that are
// not nil make it wrong.
type shelfSink struct {
	place *shelf
	stage string
	runs  int

	barrier bool // it says that it holds each row once, and gathers none

	check      func(ctx context.Context) error
	open       func(w *shelfWriter)
	empty      func() error                                    // called with a page that has no rows
	rowFailed  func(st *rxcql.Stage, f *rxcql.FailedRow) error // before the run is told
	keep       func(p *flow.Page[int], good []int) []int       // what of a page is kept
	gathers    func(p *flow.Page[int]) (bytes int64, rows int) // what a page is charged with, and rows of a batch
	put        func(w *shelfWriter, ctx context.Context, b *shelfBatch) error
	background func(open, write context.Context) context.Context // the context of what goes on
	failed     func(w *shelfWriter, err error)                   // instead of failing the run
	flush      func(w *shelfWriter) error                        // before what is right
	close      func(w *shelfWriter)                              // likewise
	took       func(rows int) int
	written    func(rows int) int
}

var errTooSmall = errors.New("a number below 0")

func (s *shelfSink) Check(ctx context.Context) error {
	if s.check != nil {
		return s.check(ctx)
	}
	return nil
}

func (s *shelfSink) Info() rxcql.SinkInfo {
	return rxcql.SinkInfo{Stages: []string{s.stage}, Resumable: true, Barrier: s.barrier}
}

func (s *shelfSink) Open(ctx context.Context, r *rxcql.Execution) (rxcql.Writer[int], error) {
	s.runs++
	st := r.SinkStage("Shelf")
	w := &shelfWriter{shelfSink: s, st: st, account: st.Account(true), ctx: ctx, jobs: make(chan *shelfBatch), gone: make(chan struct{})}
	w.batch = w.newBatch()
	w.group, _ = st.TaskGroup(ctx)
	w.group.Go(w.work)
	if s.open != nil {
		s.open(w)
	}
	return w, nil
}

// shelfBatch is rows that are put on the shelf together.
type shelfBatch struct {
	rows        []int
	reservation *flow.Reservation
	ctx         context.Context
	flushed     chan struct{} // instead of rows: closed when those before are done
}

const shelfRows = 6 // of a batch

type shelfWriter struct {
	*shelfSink
	st      *rxcql.Stage
	account *flow.Account
	ctx     context.Context // of Open
	batch   *shelfBatch
	jobs    chan *shelfBatch
	group   *rxcql.TaskGroup
	late    []*shelfBatch // for sinks that are wrong

	mu   sync.Mutex
	err  error
	gone chan struct{} // closed with the first error
}

func (w *shelfWriter) newBatch() *shelfBatch {
	return &shelfBatch{reservation: w.account.Reservation(), ctx: w.ctx}
}

func (w *shelfWriter) Write(ctx context.Context, p *flow.Page[int]) error {
	if err := w.error(); err != nil {
		return err
	}
	rows := len(p.Rows)
	if w.took != nil {
		rows = w.took(rows)
	}
	w.st.CountIn(rows)
	if len(p.Rows) == 0 && w.empty != nil {
		return w.empty()
	}
	good := make([]int, 0, len(p.Rows))
	for i, row := range p.Rows {
		if row >= 0 {
			good = append(good, row)
			continue
		}
		f := rxcql.FailedRow{Position: p.Position, Index: i, Row: row, Err: errTooSmall}
		if w.rowFailed != nil {
			if err := w.rowFailed(w.st, &f); err != nil {
				return err
			}
			if f.Err == nil {
				continue
			}
		}
		if err := w.st.RowFailed(ctx, p.Reservation, f); err != nil {
			return err
		}
	}
	if len(good) == 0 {
		return nil
	}
	if w.keep != nil {
		good = w.keep(p, good)
	}
	size, most := int64(8*len(good)), shelfRows
	if w.gathers != nil {
		size, most = w.gathers(p)
	}
	w.batch.reservation.Take(p.Reservation, size)
	if w.batch.rows == nil {
		w.batch.rows = good
	} else {
		w.batch.rows = append(w.batch.rows, good...)
	}
	if w.background != nil {
		w.batch.ctx = w.background(w.ctx, ctx)
	}
	if len(w.batch.rows) < most && !w.barrier {
		return nil
	}
	return w.send(ctx)
}

func (w *shelfWriter) send(ctx context.Context) error {
	b := w.batch
	w.batch = w.newBatch()
	return w.hand(ctx, b)
}

func (w *shelfWriter) hand(ctx context.Context, b *shelfBatch) error {
	select {
	case w.jobs <- b:
		return nil
	case <-w.gone:
		b.reservation.Release()
		return w.error()
	case <-ctx.Done():
		b.reservation.Release()
		return context.Cause(ctx)
	}
}

// work puts batches on the shelf. After the end of the run none is begun.
func (w *shelfWriter) work() error {
	for b := range w.jobs {
		if b.flushed != nil {
			close(b.flushed)
			continue
		}
		if w.error() != nil || w.st.Run().Context().Err() != nil {
			b.reservation.Release()
			continue
		}
		put := func(w *shelfWriter, ctx context.Context, b *shelfBatch) error { return w.place.put(ctx, b.rows) }
		if w.put != nil {
			put = w.put
		}
		if err := w.st.Protect(func() error { return put(w, b.ctx, b) }); err != nil {
			b.reservation.Release()
			w.fail(err)
			continue
		}
		w.done(b)
	}
	return nil
}

func (w *shelfWriter) done(b *shelfBatch) {
	rows := len(b.rows)
	if w.written != nil {
		rows = w.written(rows)
	}
	w.st.CountWritten(rows)
	b.reservation.Settle()
}

func (w *shelfWriter) fail(err error) {
	if w.failed != nil {
		w.failed(w, err)
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = w.st.Fail(err)
		close(w.gone)
		w.st.Run().Fail(w.err)
	}
}

func (w *shelfWriter) error() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}

func (w *shelfWriter) Flush(ctx context.Context) error {
	if w.flush != nil {
		if err := w.flush(w); err != nil {
			return err
		}
	}
	if len(w.batch.rows) > 0 {
		if err := w.send(ctx); err != nil {
			return err
		}
	}
	end := w.newBatch()
	end.flushed = make(chan struct{})
	if err := w.hand(ctx, end); err != nil {
		return err
	}
	select {
	case <-end.flushed:
		return w.error()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (w *shelfWriter) Close() error {
	if w.close != nil {
		w.close(w)
	}
	w.batch.reservation.Release()
	close(w.jobs)
	return w.group.Wait()
}
