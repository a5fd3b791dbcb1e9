package rxcql

import (
	"cmp"
	"context"
	"errors"
	"slices"

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
		switch {
		case err == nil:
		case flow.IsEnd(err):
			end = flow.EndOf(err)
		case givenUp(err), !errors.As(err, &own) && saysOnly(err, context.Canceled, context.DeadlineExceeded): // else one of the user's
			if before := (*StageError)(nil); echo == nil || errors.As(err, &own) && !errors.As(echo, &before) {
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
	return saysOnly(err, context.Canceled) &&
		!errors.As(err, &row) && !errors.As(err, &skipped) && !errors.Is(err, ErrPanic)
}

// saysOnly reports whether an error says one of these kinds, or an End, and nothing else: wrapped,
// or joined with others.
func saysOnly(err error, kinds ...error) bool {
	switch e := err.(type) { //nolint:errorlint // each error of the tree by itself
	case *flow.End:
		return true
	case *noEnd:
		return saysOnly(e.err, kinds...)
	}
	for _, kind := range kinds {
		if is, ok := err.(interface{ Is(target error) bool }); err == kind || ok && is.Is(kind) { //nolint:errorlint // see above
			return true
		}
	}
	switch e := err.(type) { //nolint:errorlint // see above
	case interface{ Unwrap() error }:
		return saysOnly(e.Unwrap(), kinds...)
	case interface{ Unwrap() []error }:
		all := e.Unwrap()
		return len(all) > 0 && !slices.ContainsFunc(all, func(err error) bool { return !saysOnly(err, kinds...) })
	}
	return false
}
