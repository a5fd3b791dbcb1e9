package sink

import (
	"context"
	"weak"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
)

// Flight is the bound of what a sink has taken on.
type Flight struct{ *flight }

func NewFlight(workers int) Flight { return Flight{newFlight(workers, maxFlightBytes)} }

// TakeOn takes on jobs of a byte until there is no room, and returns how many.
func (f Flight) TakeOn() (n int) {
	for f.try(1) {
		n++
	}
	return n
}

// HasWorker reports whether a job could be worked on at once, and takes it on then.
func (f Flight) HasWorker() bool { return f.atOnce(1) }

// Finish ends n jobs and reports whether who waits for room was woken.
func (f Flight) Finish(n int) bool {
	for range n {
		f.release(1)
	}
	select {
	case <-f.freed:
		return true
	default:
		return false
	}
}

// Prepared is a sink that works as Exec does: prepare is called with each row in
// order, and what it returns is called in the background.
func Prepared[T any](prepare func(T) func()) rxcql.Sink[T] { return prepared[T](prepare) }

type prepared[T any] func(T) func()

func (prepared[T]) Info() rxcql.SinkInfo { return rxcql.SinkInfo{} }

func (prepared[T]) Check(context.Context) error { return nil }

func (fn prepared[T]) Open(ctx context.Context, r *rxcql.Execution) (rxcql.Writer[T], error) {
	return openRows(ctx, r, "Prepared", DefaultInFlight, func(row T) (func(context.Context) error, error) {
		run := fn(row)
		return func(context.Context) error { run(); return nil }, nil
	}), nil
}

// EmptiedBatch is a batch that has had rows with cells of so many bytes, and is ready to
// be used again, and the memory that the cells had.
func EmptiedBatch(rows, bytes int, reuse int64) (kept any, cells weak.Pointer[byte]) {
	b := &batch{}
	for range rows {
		b.add(batchRow{statement: &statement{}}, []codec.Cell{{Bytes: make([]byte, bytes)}}, driver.Unset)
	}
	b.bind(0, rows, 0)
	cells = weak.Make(&b.buf[0])
	b.reset(2*rows*bytes, reuse)
	return b, cells
}
