package rxcql

import (
	"cmp"
	"context"
	"errors"

	"github.com/rxcql/rxcql/flow"
)

// FirstFailure chooses the error of a stage among those that its goroutines returned, in their
// order: the first that is a failure of its own; else the end of the stream on purpose (Stage.End);
// else the echo of a cancel. A failure has left pages unsettled, so it must not be lost if the
// stream was ended at the same time. What a source says that was given up in the middle of a
// request, because the stream had ended, is none. It returns nil if all are nil.
func FirstFailure(errs ...error) error {
	var end, echo error
	for _, err := range errs {
		var own *StageError
		var ended *flow.End
		switch {
		case err == nil:
		case errors.As(err, &own) && !givenUp(err): // also if it wraps a deadline of the user's
			return err
		case errors.As(err, &ended):
			end = ended
		case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
			if before := (*StageError)(nil); echo == nil || own != nil && !errors.As(echo, &before) {
				echo = err // one that names its stage is of more use than the bare cancel
			}
		default:
			return err
		}
	}
	return cmp.Or(end, echo)
}

// givenUp reports whether an error of a stage says no more than that the stage was told to end. A
// row that failed, too many of these, and a panic are failures, whatever they wrap: a function of
// the user's may have been given up by a context of its own.
func givenUp(err error) bool {
	var row *RowError
	var skipped *SkipLimitError
	return (flow.IsEnd(err) || errors.Is(err, context.Canceled)) &&
		!errors.As(err, &row) && !errors.As(err, &skipped) && !errors.Is(err, ErrPanic)
}
