package rxcql

import (
	"context"
	"fmt"
	"reflect"
	"time"
)

// Hooks are functions that a run calls while it works, for metrics, traces and displays. Set the
// ones that you need and leave the others nil; an event without a hook costs nothing.
//
// Functions with Start and End in their names are called in pairs, before and after an operation;
// End also after an error, a cancel, a panic or runtime.Goexit. The event of an End function has
// everything that the Start function was told, and how the operation ended; so metrics need only
// the End functions.
//
// A Start function returns the context that the operation runs under and that its End function
// gets. Return the given context, or one derived from it, for example with a span; with any other
// the run could not cancel the operation. Nil stands for the given context. What the driver does
// for a request then nests in the span of the request (gocql's observers get that context), and all
// spans of a run nest in the span of the run.
//
// Hooks are called from many goroutines at once, while the run works. They must be safe for that,
// and quick: a hook that waits holds up its caller. They may call Progress and Stop, but must not
// wait for the run. A panic in a hook ends the run with a StageError that has its stack; what was
// being read or written is treated as after any other failure, and other hooks are still called.
//
// Events hold no values of rows and no bound values, and neither do the texts of the errors in them
// (see RunEvent.Err).
type Hooks struct {
	// A run of a pipeline, or of a stream that is read without one. RunEnd comes last, when nothing
	// else of the run is left.
	RunStart func(ctx context.Context, e RunEvent) context.Context
	RunEnd   func(ctx context.Context, e RunEvent)

	// One request for a page, by source.Table and source.Query, or for a look-up, by
	// operators.Lookup. Each attempt is one.
	FetchStart func(ctx context.Context, e FetchEvent) context.Context
	FetchEnd   func(ctx context.Context, e FetchEvent)

	// One request that writes rows, by sink.Table and sink.Exec. Each attempt is one. Waits
	// for the limit of requests in flight are over when it starts.
	WriteStart func(ctx context.Context, e WriteEvent) context.Context
	WriteEnd   func(ctx context.Context, e WriteEvent)

	// One save of a checkpoint: the call of its store.
	SaveStart func(ctx context.Context, e SaveEvent) context.Context
	SaveEnd   func(ctx context.Context, e SaveEvent)

	// PageRead: a source of any kind hands on a page. The sums are Report.Pages, ReadRows
	// (without the rows that failed in the source, or that its buffer dropped) and ReadBytes.
	PageRead func(ctx context.Context, e PageEvent)
	// RowsWritten: rows have become durable in a sink of any kind. The sum is
	// Report.Written.
	RowsWritten func(ctx context.Context, e WrittenEvent)
	// Retry: a stage is about to repeat a request, or operators.Retry to read its stream again; the
	// wait before it is over. Repeats of checks, of writes of dead letters and by the function Retry
	// are only counted (Report.Retried).
	Retry func(ctx context.Context, e RetryEvent)
	// Recover: a stream has failed, and operators.Recover goes over to the other one.
	Recover func(ctx context.Context, e RecoverEvent)
	// InFlightLimit: a sink, or operators.Lookup, has changed its limit of requests in flight. None
	// of its other requests begins or ends until the hook returns.
	InFlightLimit func(ctx context.Context, e LimitEvent)
	// BudgetWait: a source has waited for room in the budget (WithBudget).
	BudgetWait func(ctx context.Context, e BudgetEvent)
	// RowFailed: a row failed and was skipped, or becomes a dead letter; see
	// WithRowErrors.
	RowFailed func(ctx context.Context, e RowFailedEvent)
	// RowsDropped: a buffer had no room for rows, and its policy (Overflow) has dropped some. The sum
	// is Report.Overflowed.
	RowsDropped func(ctx context.Context, e DroppedEvent)
	// RowsLate: rows of a page came too late for one or more of their windows. The sum is
	// Report.LateRows.
	RowsLate func(ctx context.Context, e LateEvent)
}

// WithHooks adds hooks. If several are given, all are called: Start functions in the order given,
// each with the context that the one before returned; End functions in reverse order, each with the
// context that its own Start function returned.
func WithHooks(hooks ...Hooks) Option {
	return func(c *config) error {
		for i, h := range hooks {
			if reflect.ValueOf(h).IsZero() {
				return fmt.Errorf("WithHooks: argument %d has no function; set the fields of Hooks for the events that you want", i+1)
			}
		}
		c.hooks = append(c.hooks, hooks...)
		return nil
	}
}

// RunEvent is what hooks are told of a run.
type RunEvent struct {
	Job     string   // of WithCheckpoint; empty without
	Sources []string // names of stages, as in the report
	Sinks   []string // likewise, as far as they are known before the run; none without a pipeline
	Start   time.Time

	// At the end:
	Duration time.Duration
	Report   Report
	// Err is what the run returns, for errors.Is and errors.As. Its text, like that of Err in all
	// events, is as the log has it: what may be a value in words of your own functions is left
	// out (see WithLogger).
	Err       error
	ErrorType string // see FetchEvent
}

// FetchEvent is what hooks are told of a request for a page.
type FetchEvent struct {
	Stage       string
	Keyspace    string
	Table       string
	Part        string // the token range, such as (-100, 250], or all; empty for a look-up
	Page        int64  // of the part, from 0
	Attempt     int    // of this page, from 1; also after one for more rows that was too large
	PageRows    int    // most rows asked for; 0 for all that there are
	Consistency string // as gocql spells it: QUORUM
	Start       time.Time

	// At the end:
	Duration time.Duration // until the answer was here; neither decoding nor hooks are in it
	Rows     int           // rows received, including those that could not be decoded
	Bytes    int64         // of their columns
	Host     string        // id of the node that coordinated the request; empty if there is no answer
	Err      error         // of the request, or of an answer that could not be decoded
	// ErrorType is the kind of Err, one of a few, for labels (OpenTelemetry's error.type):
	// cancelled (the context ended, also because the run has failed elsewhere), session closed,
	// no hosts, connection lost, client timeout, overloaded, bootstrapping, unavailable, read
	// timeout, read failure, too many tombstones, write timeout, write failure, unprepared, frame
	// too big, too large, syntax, invalid, unauthorized, authentication failed, server error,
	// schema changed, misconfigured, other. Empty if there is no error.
	ErrorType string
}

// WriteEvent is what hooks are told of a request that writes rows.
type WriteEvent struct {
	Stage       string
	Keyspace    string // empty where sink.Exec does not know it
	Table       string // likewise
	Operation   string // INSERT, DELETE; of sink.Exec the first word of the statement
	Rows        int    // more than 1 in a batch
	Bytes       int64  // of the values; 0 where sink.Exec does not know them
	Attempt     int    // of these rows, from 1; the halves of a batch that was refused are other requests
	Consistency string // as gocql spells it: QUORUM
	Start       time.Time

	// At the end:
	Duration  time.Duration
	Err       error
	ErrorType string // see FetchEvent
}

// SaveEvent is what hooks are told of a save of a checkpoint.
type SaveEvent struct {
	Job     string
	Bytes   int
	Sources []SourcePosition
	// As in Report: pages that windows hold, and their bytes.
	HeldPages int64
	HeldBytes int64
	Start     time.Time

	// At the end:
	Duration  time.Duration // of the store's call; the pause for a sink with a barrier comes before that
	Err       error         // it ends the run
	ErrorType string        // see FetchEvent
}

// SourcePosition is how far a source is, by what is settled.
type SourcePosition struct {
	Stage       string
	RangesDone  int // neighbouring ranges count as one
	RangesBegun int
	Rows        int64 // settled, in all runs of the job
}

// PageEvent is what hooks are told of a page that a source hands on.
type PageEvent struct {
	Stage string
	Rows  int   // 0 for an empty page
	Bytes int64 // as in Report.ReadBytes
}

// WrittenEvent is what hooks are told of rows that have become durable.
type WrittenEvent struct {
	Stage string
	Rows  int
}

// RetryEvent is what hooks are told of a request that is repeated, or a stream that is read again.
type RetryEvent struct {
	Stage     string
	Attempt   int           // that is about to begin, as WithRetry and RetryAttempts count them: 2 is the first repeat; 0 where nothing counts
	Wait      time.Duration // before it
	Err       error         // of the attempt before
	ErrorType string        // see FetchEvent
}

// RecoverEvent is what hooks are told when another stream takes the place of one that failed.
type RecoverEvent struct {
	Stage     string
	Err       error  // of the stream that failed
	ErrorType string // see FetchEvent
}

// LimitEvent is what hooks are told of the limit of requests in flight.
type LimitEvent struct {
	Stage     string
	Limit     int    // from now on
	Max       int    // what it began with, and grows to: InFlight, LookupInFlight
	ErrorType string // of the answer that cut it, see FetchEvent; empty when it has grown
}

// BudgetEvent is what hooks are told of a wait for room in the budget.
type BudgetEvent struct {
	Stage string // the source
	Bytes int64  // that it asked for
	Wait  time.Duration
	Err   error // why it got none, nil if it did; see RunEvent
}

// RowFailedEvent is what hooks are told of a row that failed and was left out. Its fields
// are as in RowErrorReport.
type RowFailedEvent struct {
	Stage        string
	Range        string
	Page         int64
	Row          int    // index in the page
	Place        string // where the source knows more: a file and its line
	Reason       string // without values
	DeadLettered bool   // it becomes a dead letter; else it is skipped
}
