package operators

import (
	"errors"
	"fmt"
	"time"
)

// ErrWindowFull is the kind of error of a Window that has more states, or larger ones, than it may
// keep.
var ErrWindowFull = errors.New("rxcql: Window has no room for its states")

// WindowOption is an option of Window and WindowWithLate.
type WindowOption interface{ applyWindow(*windowConfig) error }

type windowConfig struct {
	states, bytes int64
	lateness      time.Duration
	early         time.Duration
	merge         any // func(S, S) (S, error)
	late          any // func(T) error
}

type windowOption func(*windowConfig) error

func (o windowOption) applyWindow(c *windowConfig) error { return o(c) }

// WindowKeys is how many states Window keeps at most: one for each key in each window that is not
// over. A session counts until a gap after that.
func WindowKeys(n int64) WindowOption {
	return windowOption(func(c *windowConfig) error {
		c.states = n
		return atLeast("WindowKeys", n, 1)
	})
}

// WindowBytes is how many bytes the states that Window keeps take at most: with their keys, and
// what it needs to find them.
func WindowBytes(n int64) WindowOption {
	return windowOption(func(c *windowConfig) error {
		c.bytes = n
		return atLeast("WindowBytes", n, 1)
	})
}

// AllowedLateness keeps the states of a window until event time is d behind its end. A row that
// comes for it late, but before that, changes its result, and the result is handed on again
// (Corrected), behind the page that the row came in. Default 0: a window is over at its end.
func AllowedLateness(d time.Duration) WindowOption {
	return windowOption(func(c *windowConfig) error {
		if c.lateness = d; d < 0 {
			return fmt.Errorf("AllowedLateness(%v): must not be negative", d)
		}
		return wholeMicros("AllowedLateness", d)
	})
}

// EarlyResults hands on the results so far (Early) of windows that are not at their end, each time
// that event time has come to another multiple of d since 1970: those that have changed since they
// were handed on last.
//
// It goes by event time and not by the clock of the machine. So a run over the same rows gives the
// same early results, one over old rows gives as many as one over new ones, and no clock wakes
// anybody when no row has come: then there is nothing new.
//
// A session may still get an earlier Start after an early result, by a row that is out of order:
// then no later result has the Start of that one.
func EarlyResults(d time.Duration) WindowOption {
	return windowOption(func(c *windowConfig) error {
		c.early = d
		return micros("EarlyResults", d)
	})
}

// MergeStates says what the state of a session is that two sessions have become, when a row has
// come between them. earlier is the state of the one that begins earlier. Session needs it, and
// other windows do not. S is the type of the states.
func MergeStates[S any](merge func(earlier, later S) (S, error)) WindowOption {
	return windowOption(func(c *windowConfig) error {
		c.merge = merge
		return required("MergeStates: the function", merge == nil)
	})
}

// LateRows calls fn with each row that came too late for one or more of its windows, before the
// page of the row counts as done: so a row may be given again by a later run of a job, and none is
// lost. An error of fn ends the stream. T is the type of the rows. To write late rows by a sink use
// WindowWithLate; to count them alone, Report.LateRows and Hooks.RowsLate.
func LateRows[T any](fn func(row T) error) WindowOption {
	return windowOption(func(c *windowConfig) error {
		c.late = fn
		return required("LateRows: the function", fn == nil)
	})
}

// functionsOf returns the functions among the options, if they are for rows and states of the right
// types.
func functionsOf[T, S any](c *windowConfig, windows Windows) (merge func(S, S) (S, error), late func(T) error, err error) {
	var errs []error
	if c.merge != nil {
		var is bool
		if merge, is = c.merge.(func(S, S) (S, error)); !is {
			errs = append(errs, fmt.Errorf("MergeStates: the function is a %T, and the states need a %T", c.merge, merge))
		}
	}
	if c.late != nil {
		var is bool
		if late, is = c.late.(func(T) error); !is {
			errs = append(errs, fmt.Errorf("LateRows: the function is a %T, and the rows need a %T", c.late, late))
		}
	}
	switch {
	case windows.kind == "": // they are refused already
	case windows.kind == kindSession && c.merge == nil:
		errs = append(errs, fmt.Errorf("%v: a row between two sessions makes them one: give MergeStates", windows))
	case windows.kind != kindSession && c.merge != nil:
		errs = append(errs, fmt.Errorf("%v: MergeStates is for Session alone", windows))
	}
	if c.states == 0 && c.bytes == 0 {
		errs = append(errs, errors.New("no bound: give WindowKeys or WindowBytes"))
	}
	return merge, late, errors.Join(errs...)
}
