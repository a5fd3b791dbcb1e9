package rxcql

import (
	"context"
	"errors"

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
	if flow.IsEnd(err) {
		err = errors.Join(err, context.Canceled)
	}
	return &noEnd{err, text}
}

// withoutEnd hides the End that an error says, if it says one and nothing else.
func withoutEnd(err error) error {
	if flow.IsEnd(err) {
		return &noEnd{err, textOf(err)}
	}
	return err
}

// endIn returns an End that an error says among others, or does not show; nil if there is none.
func endIn(err error) *flow.End {
	var end *flow.End
	var hidden *noEnd
	switch {
	case errors.As(err, &end):
		return end
	case errors.As(err, &hidden):
		return endIn(hidden.err)
	}
	return nil
}

// ownError returns an error that a function of the user's may have made: as it is, unless it says
// an End of another run, or an End and a failure.
func (r *Execution) ownError(err error) error {
	var some *flow.End
	if !errors.As(err, &some) {
		return err
	}
	if all := flow.EndOf(err); all != nil && all.Of(r.budget) {
		return err
	}
	if !some.Of(r.budget) {
		return otherEnd(err, textOf(err)+", which is of another run")
	}
	return &noEnd{err, textOf(err)}
}
