package parquet

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/rx"
	"github.com/rxcql/rxcql/internal/stopping"
)

// smallLimit is the largest demand from downstream for which one part is read after the other, with
// nothing read ahead.
const smallLimit = 5000

// reading is one run of a source.
type reading[T any] struct {
	st       *rxcql.Stage
	out      flow.Observer[T]
	files    *dataset
	parts    []part
	pageRows int

	buffers chan []T // of pages that were handed on, to be used again
	given   int64    // rows handed on, with those of earlier runs
}

// page is a page on its way, with the slice that its rows are in.
type page[T any] struct {
	flow.Page[T]
	rows  []T
	bytes int64
	track *flow.Track
	next  []byte // state behind the page
	taken int64  // rows of the file that it stands for
	bad   []badRow
}

// badRow is a row that could not be read.
type badRow struct {
	index int // in the page, as if it had all rows
	row   any
	err   error
}

func (r *reading[T]) run(ctx context.Context) error {
	r.st.CountRanges(len(r.parts))
	r.st.Parts(ctx, flow.Parts{Count: len(r.parts)})
	workers := min(r.st.Run().Workers(), max(1, len(r.parts)))
	r.buffers = make(chan []T, workers+2)
	r.given = r.files.rows
	for _, p := range r.parts {
		r.given -= p.to - p.from
		if p.track != nil {
			_, state := p.track.From()
			n, _ := rowOf(state) // checked by Resume
			r.given += n
		}
	}
	r.measured()
	var err error
	if limit := flow.DemandOf(r.out); limit > 0 && limit <= smallLimit {
		err = r.inTurn(ctx)
	} else {
		err = r.ahead(ctx, workers)
	}
	switch {
	case err == nil:
		return r.out.Done(ctx, false)
	case errors.Is(err, stopping.Err):
		return r.out.Done(ctx, true)
	}
	return err
}

func (r *reading[T]) measured() { r.st.Measured(float64(r.given), float64(r.files.rows)) }

// inTurn reads one part after the other, and no page before the one before has been used.
func (r *reading[T]) inTurn(ctx context.Context) error {
	readCtx, stop := stopping.Context(ctx, r.st.Run().Stopping())
	defer stop()
	w, err := r.worker()
	if err != nil {
		return r.st.Fail(err)
	}
	w.limit = func() int64 { return flow.DemandOf(r.out) }
	for _, p := range r.parts {
		if err := w.read(readCtx, p, func(page *page[T]) error { return r.deliver(ctx, page) }); err != nil {
			return err
		}
	}
	return nil
}

// ahead reads several parts at a time. Each worker holds one page that waits to be delivered while
// it reads the next. Pipeline.Stop ends only the reading: a page that was read is delivered.
func (r *reading[T]) ahead(ctx context.Context, workers int) error {
	produce := func(ctx context.Context, send func(*page[T]) error) error {
		readCtx, stop := stopping.Context(ctx, r.st.Run().Stopping())
		defer stop()
		group, readCtx := r.st.TaskGroup(readCtx)
		var next atomic.Int64
		for range workers {
			group.Go(func() error {
				w, err := r.worker()
				if err != nil {
					return r.st.Fail(err)
				}
				for {
					i := int(next.Add(1)) - 1
					if i >= len(r.parts) {
						return nil
					}
					if err := w.read(readCtx, r.parts[i], send); err != nil {
						return err
					}
				}
			})
		}
		return group.Wait()
	}
	return rx.Transport(ctx, 0, produce, func(page *page[T]) error { return r.deliver(ctx, page) },
		func(page *page[T]) { page.Release() })
}

// deliver hands a page on, in the goroutine that runs the stream, and takes its slice back.
func (r *reading[T]) deliver(ctx context.Context, p *page[T]) error {
	out := r.out
	if len(p.bad) > 0 {
		out = &reporter[T]{Observer: out, st: r.st, bad: p.bad}
	}
	err := flow.Deliver(ctx, p.track, &p.Page, p.bytes, p.next, out)
	clear(p.rows)
	select {
	case r.buffers <- p.rows[:0]:
	default:
	}
	if err == nil {
		r.given += p.taken
		r.measured()
	}
	return err
}

// reporter tells the run of the rows of a page that could not be read, before it hands the page on:
// by then the page has its receipt.
type reporter[T any] struct {
	flow.Observer[T]
	st  *rxcql.Stage
	bad []badRow
}

// Next reports the rows and hands the page on.
func (r *reporter[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	for _, b := range r.bad {
		failed := rxcql.FailedRow{Position: p.Position, Index: b.index, Row: b.row, Err: b.err}
		if err := r.st.RowFailed(ctx, p.Reservation, failed); err != nil {
			return err
		}
	}
	return r.Observer.Next(ctx, p)
}
