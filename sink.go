package rxcql

import (
	"context"

	"github.com/rxcql/rxcql/flow"
)

// Sink is where a stream drains: a description, which may be run many times, one run
// after the other. Package sink has ours. To write your own keep the rules that are
// stated here and at Writer: rxcqltest.TestSink tries them on it.
type Sink[T any] interface {
	// Info describes the sink. New asks for it, before any I/O. A sink that wraps another
	// and embeds it has its description with it.
	Info() SinkInfo
	// Check compares the sink with the server's schema: tables, columns, types. It
	// changes nothing. Errors wrap ErrSchema or ErrConfig.
	Check(ctx context.Context) error
	// Open starts the sink for one run, and is called once for it, before anything is
	// read. ctx lives as long as writes in flight may: it is cancelled a grace period
	// after the run's own, and whatever still hangs must end with it. Open takes a stage
	// (Execution.SinkStage), to count rows and to keep them; in a job it does so under the
	// names that SinkInfo.Stages has.
	Open(ctx context.Context, r *Execution) (Writer[T], error)
}

// Writer is a sink in one run. Write and Flush are called by one goroutine at a time.
//
// A page is settled when what it owes is given back: its receipts, by flow.Reservation.Settle or by
// returning from Write without having taken anything. That says that each of its rows is
// durable, is a letter (Stage.RowFailed), or was left out on purpose. Nothing else may
// end a receipt: a job that goes on does not come back to rows that are settled. After a
// failure receipts stay open (flow.Reservation.Release), and bytes are given back all the same.
//
// Failures of writes in the background end the run through Execution.Fail, at once, since no
// Write may follow, and come back from the next Write or Flush.
//
// A row that the sink cannot take, though it takes others, goes to Stage.RowFailed with its
// place in the page, and with the row where Stage.WantsFailedRows says so. If that
// returns nil the row is dealt with and the others are written; else its error is returned.
type Writer[T any] interface {
	// Write takes a page, which may have no rows: it says then that a part of a source has ended,
	// or how far its event time has come. A sink leaves the page as it is, since other sinks may
	// get it too. It may return before the rows are durable: then it has copied them, since the
	// page is used again, and taken their share of the reservation, which it settles when they are. It
	// waits while too much is in flight. ctx ends with the run, and may end with the call: it is
	// an operator's that may be done before the run. What goes on after Write has the context of
	// Open. Rows are counted by Stage.CountIn when they come in, and by Stage.CountWritten when they are
	// durable.
	Write(ctx context.Context, p *flow.Page[T]) error
	// Flush returns nil when everything written is durable and its reservations are settled. It
	// is called once, at the end of the stream or after Pipeline.Stop.
	Flush(ctx context.Context) error
	// Close waits for writes in flight (not for rows still gathered), and frees
	// everything: no goroutine and no byte of the budget is left. It is called once,
	// after Flush or after an error; what was not durable stays unsettled.
	Close() error
}
