package rxcql

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/rx"
)

// Kinds of errors, for errors.Is. The structs below carry the facts, for errors.As.
var (
	// ErrConfig: options, operators or sinks were given values that they cannot work with. One
	// error joins everything that is wrong.
	ErrConfig = driver.ErrConfig
	// ErrSchema: a table, column or type is not what the pipeline needs.
	ErrSchema = driver.ErrSchema
	// ErrSingleRun: the source (source.Chan, source.Pages) can be read only once, and has been.
	ErrSingleRun = errors.New("rxcql: source can be run only once")
	// ErrBudgetHeld: operators hold all of the budget and wait for more rows; see
	// flow.BudgetHeldError.
	ErrBudgetHeld = flow.ErrBudgetHeld
	// ErrPanic: a function given by the user panicked.
	ErrPanic = driver.ErrPanic
	// ErrRunning: the pipeline is running already.
	ErrRunning = errors.New("rxcql: pipeline is running already")
	// ErrUnsettled: a run ended without another error, but a page was not settled, because a sink
	// or an operator lost a receipt. The run is not complete. See UnsettledError.
	ErrUnsettled = errors.New("rxcql: pages left unsettled")
	// ErrUnknownOutcome: rows were sent, and it is not known whether they were written: no answer
	// came, or one that leaves it open. See Report.Unknown.
	ErrUnknownOutcome = errors.New("rxcql: unknown outcome of writes")
	// ErrItemType: an item of an rxgo Observable is not of the stream's type.
	ErrItemType = rx.ErrItemType
)

// StageError is an error of a stage: the stage's name as in the report, and the reason. If a
// function of the user's panicked, Stack is the stack of the panic and errors.Is(err, ErrPanic)
// holds.
type StageError struct {
	Stage string
	Err   error
	Stack []byte

	said *saying // nil unless words of the user's are in it
}

func (e *StageError) Error() string { return fmt.Sprintf("rxcql: stage %s: %v", e.Stage, e.Err) }

// Unwrap returns the reason.
func (e *StageError) Unwrap() error { return e.Err }

// panicError keeps the value passed to panic. Its text shows a string, or an error's type and text;
// of any other value it shows the type only, since the value may be a row.
type panicError struct{ value any }

func (e *panicError) Error() string {
	switch v := e.value.(type) {
	case error:
		return fmt.Sprintf("panic: %T: %v", v, v)
	case string:
		return "panic: " + v
	default:
		return fmt.Sprintf("panic with a value of type %T", v)
	}
}

// said shows only what the runtime's own panics say: the text of others may have values of rows in
// it.
func (e *panicError) said() *saying {
	if _, ok := e.value.(runtime.Error); ok {
		return say(e, nil)
	}
	return &saying{textOf(e), fmt.Sprintf("panic with a value of type %T", e.value)}
}

func (e *panicError) Is(target error) bool { return target == ErrPanic }

func (e *panicError) Unwrap() error {
	err, _ := e.value.(error)
	return withoutEnd(err) // no stream ends on purpose by a panic
}

// RowError is an error that concerns rows of one part of the source: the range (as text, see
// flow.Position.Part), the page of that range, and the row's index in the page if one row is to
// blame, else -1. The text never holds values of the row.
type RowError struct {
	Range string
	Page  int64
	Row   int
	Err   error
}

func (e *RowError) Error() string {
	if e.Row < 0 {
		return fmt.Sprintf("range %s, page %d: %v", e.Range, e.Page, e.Err)
	}
	return fmt.Sprintf("range %s, page %d, row %d: %v", e.Range, e.Page, e.Row, e.Err)
}

// Unwrap returns the reason. A row that fails by an End is a failure.
func (e *RowError) Unwrap() error { return withoutEnd(e.Err) }

// cause returns the reason behind an error that may only be an echo of a cancelled context.
func cause(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return context.Cause(ctx)
	}
	return err
}
