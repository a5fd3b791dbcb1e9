package rxcql

import (
	"errors"
	"fmt"
)

// RowErrorPolicy says what becomes of a row that cannot be read, worked on or written:
// FailOnRowError, SkipRows, SkipPercent or DeadLetter. The zero policy is FailOnRowError.
//
// A row error is an error for which this one row is to blame:
//
//   - The source cannot decode the row, or a line of a file is not a row.
//   - The function given to Map, FlatMap, Tap, MapConcurrent, Lookup, Zip, sink.Each or sink.Exec
//     returns an error for the row.
//   - A look-up for the row (Lookup) is refused for its values, or finds what cannot be used.
//   - A sink cannot encode the row, or the server refuses it as invalid or too large when it is
//     sent alone, though the server takes the statement.
//
// These are never row errors, and end the run under every policy:
//
//   - a panic;
//   - what would hit any row: a timeout, unavailable replicas, a lost connection, missing
//     permissions and the like. This holds too if your function returns such an error: to make it a
//     row error, do not wrap it;
//   - a schema that does not fit, or a table that was dropped;
//   - the end of the context;
//   - errors of the functions of Scan, Reduce, GroupAdjacent, GroupBy, Window, WindowAdjacent and
//     Conflate, whose state is wrong without the row;
//   - errors of the stream rather than of a row: from an iterator (source.Seq), from rxgo
//     (operators.Rx), or from a file in which the ends of lines can no longer be told.
type RowErrorPolicy struct {
	skips   bool
	rows    int64 // most rows to skip; -1: by percent
	percent float64
	after   int64 // rows read before percent is looked at
	letters DeadLetterStore
	bounded bool   // rows, or percent and after, are for letters too
	name    string // how the user wrote the maximum
	err     error
}

// WithRowErrors sets the policy for rows that fail. Default: FailOnRowError.
//
// If the policy keeps the run going, the failed row is dropped and counts as done, so its page
// settles. It is counted in the stage where it failed and in the report (Skipped, DeadLettered),
// passed to hooks (Hooks.RowFailed) and logged as a warning.
func WithRowErrors(policy RowErrorPolicy) Option {
	return func(c *config) error {
		c.rowErrors = policy
		return policy.err
	}
}

// FailOnRowError ends the run with the first row that fails, as a StageError around a RowError.
// This is the default.
func FailOnRowError() RowErrorPolicy { return RowErrorPolicy{} }

// SkipRows drops rows that fail, up to most in a run, over all stages. One more ends the run with a
// SkipLimitError around its error; other rows of its page may not have been handed on then. Each
// run of a job counts anew.
func SkipRows(most int64) RowErrorPolicy {
	p := RowErrorPolicy{skips: true, rows: most, name: fmt.Sprintf("SkipRows(%d)", most)}
	if most < 0 {
		p.err = fmt.Errorf("SkipRows(%d): must not be negative", most)
	}
	return p
}

// SkipPercent drops rows that fail, up to most percent of the rows read, over all stages. The
// percentage is checked with every row that fails, once after rows have been read, so that a bad
// row among the first does not weigh too much. At the end it is checked once more, over all rows,
// however few. Above the maximum the run ends with a SkipLimitError around the error of the last
// row that failed.
//
// most is above 0 and at most 100; after is at least 0. Each run of a job counts anew. If the check
// at the end fails, what was read may have been settled by then: a job with a checkpoint does not
// read the skipped rows again.
func SkipPercent(most float64, after int64) RowErrorPolicy {
	p := RowErrorPolicy{skips: true, rows: -1, percent: most, after: after, name: fmt.Sprintf("SkipPercent(%v, %d)", most, after)}
	if !(most > 0 && most <= 100) { // also not a number
		p.err = fmt.Errorf("SkipPercent(%v, %d): the maximum must be above 0 and at most 100", most, after)
	}
	if after < 0 {
		p.err = errors.Join(p.err, fmt.Errorf("SkipPercent(%v, %d): the number of rows must not be negative", most, after))
	}
	return p
}

// DeadLetter keeps rows that fail in a store, each with what is known of its error, so that you can
// look at them, fix them and load them again; see package deadletter. There is no maximum, unless
// AtMost or AtMostPercent set one.
//
// A failed row counts as done when its letter is durable; until then its page is not settled. If
// the store cannot write, the run ends with that error. Letters that wait to be written are charged
// to the budget; when they exceed 1 MiB the stages wait. After an interrupted run, rows that are
// read again may leave a second letter.
func DeadLetter(store DeadLetterStore) RowErrorPolicy {
	p := RowErrorPolicy{letters: store}
	if store == nil {
		p.err = errors.New("DeadLetter: the store is nil")
	} else if known, ok := store.(ConfigChecker); ok {
		if err := known.ConfigError(); err != nil {
			p.err = fmt.Errorf("DeadLetter: %w", err)
		}
	}
	return p
}

// AtMost sets a maximum for DeadLetter: one more row that fails than most, over all stages, becomes
// a letter too and ends the run with a SkipLimitError around its error. Each run of a job counts
// anew. It is for DeadLetter only, since the other policies have their maximum.
func AtMost(policy RowErrorPolicy, most int64) RowErrorPolicy {
	skip := SkipRows(most)
	return policy.bound(skip, fmt.Sprintf("AtMost(%d)", most))
}

// AtMostPercent sets a maximum for DeadLetter in percent of the rows read, which is looked at as
// SkipPercent says, once after rows have been read and at the end. The row that is one too many
// becomes a letter too.
func AtMostPercent(policy RowErrorPolicy, most float64, after int64) RowErrorPolicy {
	skip := SkipPercent(most, after)
	return policy.bound(skip, fmt.Sprintf("AtMostPercent(%v, %d)", most, after))
}

// bound returns the policy with the maximum of another one.
func (p RowErrorPolicy) bound(by RowErrorPolicy, name string) RowErrorPolicy {
	switch {
	case p.letters == nil && p.err == nil:
		p.err = fmt.Errorf("%s: it is for DeadLetter; SkipRows and SkipPercent have a maximum, and FailOnRowError skips nothing", name)
	case p.bounded:
		p.err = errors.Join(p.err, fmt.Errorf("%s: the policy has a maximum: %s", name, p.name))
	case by.err != nil:
		p.err = errors.Join(p.err, fmt.Errorf("%s: %w", name, by.err))
	}
	p.bounded, p.rows, p.percent, p.after, p.name = true, by.rows, by.percent, by.after, name
	return p
}

// limited reports whether the policy has a maximum.
func (p *RowErrorPolicy) limited() bool { return p.skips || p.bounded }

// over reports whether so many failed rows are too many for the number read. end is the check at
// the end.
func (p *RowErrorPolicy) over(failed, read int64, end bool) bool {
	if p.rows >= 0 {
		return failed > p.rows
	}
	// The tolerance is for rounding: 57 of 10,000 are 0.57 %, which no float64 is exactly.
	return (end || read >= p.after) && float64(failed)*100 > p.percent*float64(read)*(1+1e-12)
}

// ErrSkipLimit: more rows failed than SkipRows, SkipPercent, AtMost or AtMostPercent allow.
var ErrSkipLimit = errors.New("rxcql: too many rows failed")

// SkipLimitError says that more rows failed than the policy allows to skip.
type SkipLimitError struct {
	Limit  string // the maximum, such as SkipRows(10)
	Failed int64  // rows that failed, the last one included
	Read   int64  // rows read by then
	Err    error  // of the last row
}

func (e *SkipLimitError) Error() string {
	return fmt.Sprintf("%v: %d of %d rows read, more than %s allows; the last: %v", ErrSkipLimit, e.Failed, e.Read, e.Limit, e.Err)
}

// Unwrap returns the error of the last row.
func (e *SkipLimitError) Unwrap() error { return e.Err }

// Is makes errors.Is(err, ErrSkipLimit) hold.
func (e *SkipLimitError) Is(target error) bool { return target == ErrSkipLimit }
