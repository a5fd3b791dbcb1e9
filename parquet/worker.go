package parquet

import (
	"context"
	"errors"
	"fmt"
	"unsafe"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/parquetcell"
)

// worker reads parts, one after the other. It belongs to one goroutine.
type worker[T any] struct {
	*reading[T]
	maker maker[T]
	limit func() int64 // how many rows can still be used, 0 for all
	bytes int64        // of the page before
}

func (r *reading[T]) worker() (*worker[T], error) {
	m, err := makerOf[T](r.files.columns)
	return &worker[T]{reading: r, maker: m, limit: func() int64 { return 0 }}, err
}

// read reads a part to its end, from its beginning or from where an earlier run has stopped. Every
// page goes to send; the last one has Position.Last set.
func (w *worker[T]) read(ctx context.Context, p part, send func(*page[T]) error) (err error) {
	track := p.track
	if track == nil {
		track = w.st.Track(p.span)
	}
	pages, saved := track.From()
	done, err := rowOf(saved)
	if err == nil && done > p.to-p.from {
		err = fmt.Errorf("%w: a position lies behind the rows of its part", rxcql.ErrCheckpointDamaged)
	}
	if err == nil {
		err = w.files.acquire(p.file)
	}
	if err != nil {
		return w.st.Fail(err)
	}
	defer func() { err = w.closed(err, p.file.release()) }()
	w.maker.begin(p.file.columns)
	in := p.file.plan.NewAssembler(p.file.content.RowGroups()[p.group])
	defer func() { err = w.closed(err, in.Close()) }()
	if at := p.from + done; at > 0 {
		if err := in.SeekRow(at); err != nil {
			return w.failed(p, pages, at, err)
		}
	}
	for ; ; pages++ {
		if err := track.AwaitRoom(ctx); err != nil {
			return err
		}
		next, err := w.page(ctx, in, p, pages, done)
		if err != nil {
			return err
		}
		next.track = track
		done += next.taken
		if next.Last = p.from+done == p.to; !next.Last {
			next.next = state(done)
		}
		last := next.Last
		if err := send(next); err != nil {
			next.Release() // it may not have been delivered
			return err
		}
		if last {
			return nil
		}
	}
}

// closed adds the error of closing something to the one before.
func (w *worker[T]) closed(err, closing error) error {
	if closing == nil {
		return err
	}
	return errors.Join(err, w.st.Fail(closing))
}

// page reads the next page of a part, of which so many rows have been read.
func (w *worker[T]) page(ctx context.Context, in *parquetcell.Assembler, p part, number, done int64) (*page[T], error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	var zero T
	reservation, err := w.st.Input().Reserve(ctx, max(w.bytes, int64(w.pageRows)*int64(unsafe.Sizeof(zero))))
	if err != nil {
		return nil, err
	}
	want, most := w.st.Input().PageBytes(), int64(w.pageRows)
	if limit := w.limit(); limit > 0 {
		most = min(most, limit)
	}
	next := &page[T]{Page: flow.Page[T]{Reservation: reservation}}
	select {
	case next.rows = <-w.buffers:
	default:
	}
	for next.taken < most && next.bytes < want && p.from+done+next.taken < p.to {
		row := p.from + done + next.taken
		var size int64
		var bad error
		var left any
		next.rows, size, bad, left, err = w.maker.next(in, next.rows)
		if err != nil {
			err = w.failed(p, number, row, err)
			reservation.Finish(err)
			return nil, err
		}
		if bad != nil {
			size += w.leaveOut(next, p, row, bad, left)
		}
		next.taken++
		next.bytes += size
	}
	if p.from+done+next.taken == p.file.rowsIn(p.group) {
		if err := in.End(); err != nil {
			err = w.failed(p, number, p.from+done+next.taken-1, err)
			reservation.Finish(err)
			return nil, err
		}
	}
	w.maker.end(next.rows)
	w.bytes = next.bytes
	next.Rows = next.rows
	reservation.Resize(next.bytes)
	reservation.Position = flow.Position{Range: p.index, Page: number}
	return next, nil
}

// badCost is what a row that could not be read takes in memory: its error, and what is known of it.
const badCost = 512

// leaveOut notes a row that could not be read, until the page is delivered.
func (w *worker[T]) leaveOut(next *page[T], p part, row int64, bad error, left any) (size int64) {
	b := badRow{index: int(next.taken), err: p.file.at(p.group, row, bad)}
	if w.st.WantsFailedRows() {
		b.row = left
		if kept, is := left.(rxcql.Row); is {
			size = int64(kept.Size())
		}
	}
	next.bad = append(next.bad, b)
	return size + badCost
}

// failed is the error of a file that cannot be read on.
func (w *worker[T]) failed(p part, number, row int64, err error) error {
	err = p.file.at(p.group, row, err)
	return w.st.Fail(&rxcql.RowError{Range: p.span.String(), Page: number, Row: -1, Err: err})
}

// at says where in the file an error is. row is counted in its row group, from 0.
func (f *file) at(group int, row int64, err error) error {
	return fmt.Errorf("%s, row %d: %w", f.path, f.groups[group]+row+1, err)
}
