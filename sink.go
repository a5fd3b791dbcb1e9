package rxcql

import (
	"context"

	"github.com/rxcql/rxcql/flow"
)

// Sink is where a stream drains. It is a description, which may be run many times, one run after
// the other. Package sink has the toolkit's own. To write one, keep the rules that are stated here
// and at Writer; rxcqltest.TestSink tests them.
type Sink[T any] interface {
	// Info describes the sink. New calls it, before any I/O. A sink that embeds another has that
	// one's Info, unless it defines its own.
	Info() SinkInfo
	// Check compares the sink with the server's schema: tables, columns, types. It changes nothing.
	// Its errors wrap ErrSchema or ErrConfig.
	Check(ctx context.Context) error
	// Open starts the sink for one run. It is called once for each run, before anything is read.
	// ctx is cancelled a grace period after the context of the run: writes in flight may go on
	// until then, and whatever still hangs must end with it. Open calls Execution.SinkStage, and
	// the sink counts rows in that stage. In a job, Open gives it the names that SinkInfo.Stages
	// has, in that order.
	Open(ctx context.Context, r *Execution) (Writer[T], error)
}

// Writer is a sink in one run. Write, Flush and Close are called one at a time. A sink with others
// inside calls these so, too: Flush once when all is written, unless there was an error, and Close
// once at last.
//
// A page is settled when all receipts that it carries are settled. Write settles them by
// flow.Reservation.Settle, or by returning without having taken anything of the page's reservation.
// That says that each of the page's rows is durable, is a dead letter (Stage.RowFailed), or was
// left out on purpose. Settle for no other reason: a job that goes on does not read settled rows
// again. After a failure, leave receipts open (flow.Reservation.Release); the bytes are released
// all the same.
//
// If a write in the background fails, call Execution.Fail at once, since no other Write may follow.
// Return the error from the next Write or Flush as well.
//
// If the sink cannot take one row, though it takes others, it calls Stage.RowFailed with the row's
// place in the page, and with the row itself if Stage.WantsFailedRows reports true. If that returns
// nil, the row is dealt with and the others are written; else the sink returns its error.
type Writer[T any] interface {
	// Write takes a page. Rules:
	//
	//   - A page may have no rows: it then says that a part of a source has ended, or how far event
	//     time has come.
	//   - Do not change the page: other sinks may get it too.
	//   - Write may return before the rows are durable. It must then have copied them, since the
	//     memory of the page is used again, and have taken their share of the reservation, to
	//     settle it when they are durable.
	//   - Write waits while too much is in flight.
	//   - ctx ends with the run, or earlier, for example with an operator inside a sink. Work that
	//     goes on after Write uses the context of Open.
	//   - Count rows by Stage.CountIn when they come in, and by Stage.CountWritten when they are
	//     durable.
	Write(ctx context.Context, p *flow.Page[T]) error
	// Flush returns nil when everything written is durable and its reservations are settled. It is
	// called once, at the end of the stream or after Pipeline.Stop.
	Flush(ctx context.Context) error
	// Close waits for writes in flight (not for rows still gathered), and frees everything: no
	// goroutine and no byte of the budget is left. It is called once, after Flush or after an
	// error. What was not durable stays unsettled.
	Close() error
}
