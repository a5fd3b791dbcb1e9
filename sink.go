package rxcql

import (
	"context"

	"github.com/rxcql/rxcql/flow"
)

// Sink is where a stream drains: a description, which may be run many times.
type Sink[T any] interface {
	// Info describes the sink. New asks for it, before any I/O. A sink that wraps another
	// and embeds it has its description with it.
	Info() SinkInfo
	// Check compares the sink with the server's schema: tables, columns, types. It
	// changes nothing. Errors wrap ErrSchema or ErrConfig.
	Check(ctx context.Context) error
	// Open starts the sink for one run. ctx lives as long as writes in flight
	// may: it is cancelled a grace period after the run's own context.
	Open(ctx context.Context, r *Run) (Writer[T], error)
}

// Writer is a sink in one run. Write and Flush are called by one goroutine at a
// time. Failures of writes in the background end the run through Run.Fail, and
// come back from the next Write or Flush.
type Writer[T any] interface {
	// Write takes a page. It may return before the rows are durable: then it
	// has copied them and taken their share of the lease, which it ends when
	// they are. It waits while too much is in flight. ctx ends with the run, and
	// may end with the call: it is an operator's that may be done before the run.
	Write(ctx context.Context, p *flow.Page[T]) error
	// Flush returns when everything written is durable and its leases ended.
	Flush(ctx context.Context) error
	// Close waits for writes in flight (not for rows still gathered), and frees
	// everything. It is called once, after Flush or after an error; what was
	// not durable stays unsettled.
	Close() error
}
