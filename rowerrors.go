package rxcql

import (
	"errors"
	"fmt"
)

// RowErrorPolicy says what becomes of a row that cannot be read, worked on or
// written: FailOnRowError, SkipRows, SkipPercent or DeadLetter. The zero policy
// is FailOnRowError.
//
// A row error is one that this row alone is to blame for:
//   - a row that cannot be decoded at the source, a line of a file that is none,
//   - an error that the function given to Map, FlatMap, Tap or MapConcurrent, or to
//     sink.Each or sink.Exec, returns for it,
//   - a row that a sink cannot encode, or that the server refuses as invalid or
//     too large when it is sent alone and takes the statement itself.
//
// Never a row error, and so the end of the run under every policy: a panic; a
// timeout, replicas unavailable, a lost connection, missing permissions and
// whatever else would befall any row (also where it is the user's function that
// returns it: one that shall count as the row's must not wrap it); a schema that
// does not fit; a table that was dropped; the end of the context; and errors of
// Scan, Reduce and GroupAdjacent, whose state is wrong without the row. An error
// that an iterator yields (source.Seq) or that comes out of rxgo (operators.Rx)
// ends the stream as ever, and so does a file from where its lines cannot be told.
type RowErrorPolicy struct {
	skips   bool
	rows    int64 // most rows to skip; -1: by percent
	percent float64
	after   int64 // rows read before percent is looked at
	letters DeadLetterStore
	err     error
}

// WithRowErrors sets the policy for rows that fail. Default: FailOnRowError.
//
// A row that was dealt with is dropped, and counts as done: its page settles.
// It is counted in the stage where it failed and in the report (Skipped,
// DeadLettered), told to hooks (Hooks.RowFailed) and logged as a warning.
func WithRowErrors(policy RowErrorPolicy) Option {
	return func(c *config) error {
		c.rowErrors = policy
		return policy.err
	}
}

// FailOnRowError ends the run with the first row that fails, as a StageError
// around a RowError. The default.
func FailOnRowError() RowErrorPolicy { return RowErrorPolicy{} }

// SkipRows drops rows that fail, up to so many in a run, over all stages. One
// more ends the run with a SkipLimitError around its error; rows of its page may
// not have been handed on then. Each run of a job counts anew.
func SkipRows(most int64) RowErrorPolicy {
	p := RowErrorPolicy{skips: true, rows: most}
	if most < 0 {
		p.err = fmt.Errorf("SkipRows(%d): must not be negative", most)
	}
	return p
}

// SkipPercent drops rows that fail, up to so many for each hundred rows read,
// over all stages. That is looked at with every row that fails once so many rows
// have been read (after), so that a bad row among the first does not count for
// much, and once more at the end, over all rows, however few. More than that
// ends the run with a SkipLimitError around the error of the last row.
//
// Most is above 0 and at most 100; after is at least 0. Each run of a job counts
// anew. What had been read by the end has been settled by then: a job with a
// checkpoint does not come back to rows skipped before.
func SkipPercent(most float64, after int64) RowErrorPolicy {
	p := RowErrorPolicy{skips: true, rows: -1, percent: most, after: after}
	if !(most > 0 && most <= 100) { // also not a number
		p.err = fmt.Errorf("SkipPercent(%v, %d): the maximum must be above 0 and at most 100", most, after)
	}
	if after < 0 {
		p.err = errors.Join(p.err, fmt.Errorf("SkipPercent(%v, %d): the number of rows must not be negative", most, after))
	}
	return p
}

// DeadLetter keeps rows that fail in a store, with what is known of the error,
// to be looked at, mended and loaded again; see package deadletter. There is no
// maximum.
//
// A row counts as done when its letter is durable: until then its page is not
// settled. If the store cannot write, the run ends with that error. Letters that
// wait are charged to the budget; beyond 1 MiB of them the stages wait. After a
// run that was broken off, rows that are read again may leave a second letter.
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

// limit names the maximum as it was written.
func (p *RowErrorPolicy) limit() string {
	if p.rows < 0 {
		return fmt.Sprintf("SkipPercent(%v, %d)", p.percent, p.after)
	}
	return fmt.Sprintf("SkipRows(%d)", p.rows)
}

// over tells whether so many rows that failed are too many for so many read.
func (p *RowErrorPolicy) over(failed, read int64, end bool) bool {
	if p.rows >= 0 {
		return failed > p.rows
	}
	// A hair more than the percentage counts for as much: 57 of 10,000 are 0.57 %,
	// which no float64 is.
	return (end || read >= p.after) && float64(failed)*100 > p.percent*float64(read)*(1+1e-12)
}

// ErrSkipLimit: more rows failed than SkipRows or SkipPercent allow.
var ErrSkipLimit = errors.New("rxcql: too many rows failed")

// SkipLimitError says that more rows failed than the policy allows to skip.
type SkipLimitError struct {
	Limit  string // the policy, such as SkipRows(10)
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
