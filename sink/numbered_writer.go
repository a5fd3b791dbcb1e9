package sink

import (
	"context"
	"sync"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// block is the text of a page, to be written by a worker. It has at least one row.
type block struct {
	text        []byte
	ends        []int // where each row ends in text; before each row stands what the frame has between rows
	frame       frame
	reservation *flow.Reservation
}

// start is where a row begins, with what stands before it.
func (b *block) start(row int) int {
	if row == 0 {
		return 0
	}
	return b.ends[row-1]
}

// size is how many bytes a row adds to a file that has rows.
func (b *block) size(row int) int64 { return int64(b.ends[row] - b.start(row)) }

// numberedWriter makes the text of pages in the goroutine that writes, and hands it to workers. The
// text is a copy of the rows, so a page is not kept.
type numberedWriter[T any] struct {
	st      *rxcql.Stage
	account *flow.Account
	files   *fileSet
	lines   lines[T]
	between string
	workers *workers[*block]
	spare   sync.Pool // of *block
}

func newNumberedWriter[T any](ctx context.Context, st *rxcql.Stage, files *fileSet, lines lines[T], parallel int) *numberedWriter[T] {
	w := &numberedWriter[T]{st: st, account: st.Account(true), files: files, lines: lines, between: lines.frame().between}
	w.spare.New = func() any { return &block{} }
	w.workers = newWorkers(ctx, st, newFlight(parallel, maxFlightBytes), func(b *block) int64 { return int64(len(b.text)) }, w.do)
	return w
}

func (w *numberedWriter[T]) Write(ctx context.Context, p *flow.Page[T]) error {
	if err := w.workers.failed.get(); err != nil {
		return err
	}
	w.st.CountIn(len(p.Rows))
	if len(p.Rows) == 0 {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	b := w.spare.Get().(*block) //nolint:forcetypeassert // it is all that is put in
	b.text, b.ends = b.text[:0], b.ends[:0]
	if err := w.st.Protect(func() error { return w.page(ctx, p, b) }); err != nil {
		return err
	}
	if len(b.ends) == 0 {
		w.spare.Put(b)
		return nil
	}
	b.frame = w.lines.frame()
	b.reservation = w.account.Reservation()
	b.reservation.Take(p.Reservation, int64(len(b.text)))
	if err := w.workers.hand(ctx, b); err != nil {
		b.reservation.Release()
		return err
	}
	return nil
}

// page makes the text of the rows that do not fail.
func (w *numberedWriter[T]) page(ctx context.Context, p *flow.Page[T], b *block) error {
	for i := range p.Rows {
		start := len(b.text)
		b.text = append(b.text, w.between...)
		text, err := w.lines.row(b.text, &p.Rows[i])
		if err != nil {
			b.text = b.text[:start]
			failed := rxcql.FailedRow{Position: p.Position, Index: i, Row: p.Rows[i], Err: err}
			if err := w.st.RowFailed(ctx, p.Reservation, failed); err != nil {
				return err
			}
			continue
		}
		b.text = text
		b.ends = append(b.ends, len(text))
	}
	return nil
}

// largestSpare is the most bytes of text for which a block is used again.
const largestSpare = 4 << 20

func (w *numberedWriter[T]) do(_ context.Context, b *block) error {
	done := false
	defer func() {
		if !done {
			b.reservation.Release()
		}
	}()
	if err := w.workers.over(); err != nil {
		return err
	}
	if err := w.files.write(b); err != nil {
		return w.st.Fail(err)
	}
	done = true
	w.st.CountWritten(len(b.ends))
	b.reservation.Settle()
	b.reservation = nil
	if cap(b.text) <= largestSpare {
		w.spare.Put(b)
	}
	return nil
}

// Flush completes all files.
func (w *numberedWriter[T]) Flush(ctx context.Context) error {
	if err := w.workers.flush(ctx); err != nil {
		return err
	}
	stopped := false
	select {
	case <-w.st.Run().Stopping():
		stopped = true
	default:
	}
	return w.st.Fail(w.files.finishAll(w.lines.frame(), stopped))
}

// save is called before each save of the job, when nothing is being written.
func (w *numberedWriter[T]) save(context.Context) ([]byte, error) {
	return w.files.save(w.lines.columns())
}

func (w *numberedWriter[T]) Close() error {
	err := w.workers.close()
	if closed := w.files.close(); err == nil {
		err = w.st.Fail(closed)
	}
	return err
}
