package rxcql

import (
	"context"
	"fmt"
	"reflect"
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

	// One request for a page, by source.Table and source.Query. Each attempt is one.
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
	// (without the rows that failed in the source) and ReadBytes.
	PageRead func(ctx context.Context, e PageEvent)
	// RowsWritten: rows have become durable in a sink of any kind. The sum is
	// Report.Written.
	RowsWritten func(ctx context.Context, e WrittenEvent)
	// Retry: a stage is about to repeat a request; the wait before it is over. Repeats of
	// checks, of writes of dead letters and by the function Retry are only counted
	// (Report.Retried).
	Retry func(ctx context.Context, e RetryEvent)
	// InFlightLimit: a sink has changed its limit of requests in flight. None of its other requests
	// begins or ends until the hook returns.
	InFlightLimit func(ctx context.Context, e LimitEvent)
	// BudgetWait: a source has waited for room in the budget (WithBudget).
	BudgetWait func(ctx context.Context, e BudgetEvent)
	// RowFailed: a row failed and was skipped, or becomes a dead letter; see
	// WithRowErrors.
	RowFailed func(ctx context.Context, e RowFailedEvent)
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
