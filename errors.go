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

// Sentinels name the kind of an error, for errors.Is; the structs below carry
// the facts, for errors.As.
var (
	// ErrConfig: options, operators or sinks were given values they cannot
	// work with. Everything that is wrong is joined into one error.
	ErrConfig = driver.ErrConfig
	// ErrSchema: a table, column or type is not what the pipeline needs.
	ErrSchema = driver.ErrSchema
	// ErrSingleRun: the source (source.Chan, source.Pages) can be read only once and
	// has been.
	ErrSingleRun = errors.New("rxcql: source can be run only once")
	// ErrBudgetHeld: operators hold all of the budget and wait for more; see
	// flow.BudgetHeldError.
	ErrBudgetHeld = flow.ErrBudgetHeld
	// ErrPanic: a function given by the user panicked.
	ErrPanic = driver.ErrPanic
	// ErrRunning: the pipeline is running already.
	ErrRunning = errors.New("rxcql: pipeline is running already")
	// ErrUnsettled: a run ended without an error but a page was not settled:
	// a sink or an operator lost a receipt. Nothing is claimed complete. See
	// UnsettledError.
	ErrUnsettled = errors.New("rxcql: pages left unsettled")
	// ErrUnknownOutcome: rows were sent, and whether they were written nobody
	// knows: no answer came, or one that leaves it open. See Report.Unknown.
	ErrUnknownOutcome = errors.New("rxcql: unknown outcome of writes")
	// ErrItemType: an item of an rxgo Observable is not of the stream's type.
	ErrItemType = rx.ErrItemType
)

// StageError is an error that a stage met: the stage's name as in the report,
// and the reason. For a panic in a user's function Stack holds the stack where
// it happened and errors.Is(err, ErrPanic) holds.
type StageError struct {
	Stage string
	Err   error
	Stack []byte

	said *saying // nil unless words of the user's are in it
}

func (e *StageError) Error() string { return fmt.Sprintf("rxcql: stage %s: %v", e.Stage, e.Err) }

// Unwrap returns the reason.
func (e *StageError) Unwrap() error { return e.Err }

// panicError keeps what was passed to panic. Its text shows an error's type and
// text, or a string; of any other value only the type, since it may be a row.
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

// said shows the words of the runtime's own panics only: in others any row may be.
func (e *panicError) said() *saying {
	if _, ok := e.value.(runtime.Error); ok {
		return say(e, nil)
	}
	return &saying{textOf(e), fmt.Sprintf("panic with a value of type %T", e.value)}
}

func (e *panicError) Is(target error) bool { return target == ErrPanic }

func (e *panicError) Unwrap() error {
	err, _ := e.value.(error)
	return err
}

// RowError is an error that concerns rows of one part of the source: which
// range (as text, see flow.Position.Part), which page of it, and,
// where one row is to blame, its index in the page; Row is -1 otherwise. The
// text never holds values of the row.
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

// Unwrap returns the reason.
func (e *RowError) Unwrap() error { return e.Err }

// cause is the reason behind an error that may only be an echo of a context
// that was cancelled.
func cause(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return context.Cause(ctx)
	}
	return err
}
