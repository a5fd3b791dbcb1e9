// Package window folds rows into windows of event time: a state for each key and window. It knows
// nothing of streams, pages or goroutines. Times are microseconds since 1970, and whoever uses it
// says how far event time has come (Advance). Side is for joins by time.
//
// A window has two ends of its life. When the clock has come to its end, its results are final, and
// are given. When the clock is Lateness behind that it is over: its states are dropped, and a row
// that comes for it is missed. In between a row that comes late changes a result that was given.
package window

import (
	"errors"
	"math"
)

// ErrFull: there is no room for another state within the bounds.
var ErrFull = errors.New("no room for another state")

// Forever is the time of the clock when no row comes any more. No window ends that late.
const Forever = math.MaxInt64

// Never is before all times.
const Never = math.MinInt64

// Farthest is how far from 1970 the time of a row may be.
const Farthest = 1 << 62

// Kind says which result of a window this is.
type Kind uint8

// Early is a result that is given before the clock is at the window's end, Final one that is given
// when it comes there, Corrected one that is given later.
const (
	Early Kind = iota + 1
	Final
	Corrected
)

// State is what is kept for a key in a window.
type State[K comparable, S any] struct {
	Key   K
	Value S
	Rows  int64 // in it
	Late  int64 // of these, rows that came when the clock was at the window's end

	told int64 // rows that were in it when its last result was given
}

// Give is called with each result. The state may change when it returns.
type Give[K comparable, S any] func(s *State[K, S], start, end int64, kind Kind) error

// Config is what the windows of any kind have in common.
type Config[T any, K comparable, S any] struct {
	Seed  func() S
	Fold  func(state S, row T) (S, error)
	Merge func(earlier, later S) (S, error) // of the states of two sessions; for Sessions only

	Lateness int64 // a window is over when the clock is so far behind its end

	// The bounds: states, and bytes that they take; 0 for none.
	MaxStates, MaxBytes int64

	SizeRow   func(*T) int
	SizeKey   func(*K) int
	SizeState func(*S) int
	FixedSize bool      // states refer to no memory, so all have one size
	Keep      func(K) K // makes a key fit to be kept
}

// floor returns the largest multiple of b, plus offset, that is not more than a.
func floor(a, b, offset int64) int64 {
	n := a - offset
	quotient := n / b
	if n%b < 0 {
		quotient--
	}
	return quotient*b + offset
}

// Less takes d off a time; Never and Forever stay as they are.
func Less(t, d int64) int64 {
	switch {
	case t == Forever:
		return t
	case t < Never+d:
		return Never
	}
	return t - d
}
