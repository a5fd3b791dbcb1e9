package rxcql

import (
	"context"
	"errors"
	"slices"

	"github.com/rxcql/rxcql/flow"
)

// noEnd is an error that says a flow.End and does not show it, since no stream has ended on purpose
// by that: what was given up for it would be settled.
type noEnd struct {
	err  error
	text string
}

func (e *noEnd) Error() string { return e.text }

func (e *noEnd) Is(target error) bool { return errors.Is(e.err, target) }

func (e *noEnd) As(target any) bool {
	if _, end := target.(**flow.End); end {
		return false
	}
	return errors.As(e.err, target)
}

// otherEnd is that of an End of another run. To this run it is a cancel, unless there is a failure
// as well.
func otherEnd(err error, text string) error {
	if saysOnlyEnd(err) {
		err = errors.Join(err, context.Canceled)
	}
	return &noEnd{err, text}
}

func saysOnlyEnd(err error) bool {
	switch e := err.(type) { //nolint:errorlint // each error of the tree by itself
	case *flow.End:
		return true
	case interface{ Unwrap() error }:
		return saysOnlyEnd(e.Unwrap())
	case interface{ Unwrap() []error }:
		return !slices.ContainsFunc(e.Unwrap(), func(err error) bool { return !saysOnlyEnd(err) })
	}
	return false
}

// ownError returns an error that a function of the user's may have made: as it is, unless it says
// an End of another run.
func (r *Execution) ownError(err error) error {
	var end *flow.End
	if !errors.As(err, &end) || end.Of(r.budget) {
		return err
	}
	return otherEnd(err, textOf(err)+", which is of another run")
}
