package operators

import (
	"context"
	"errors"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// required returns an error if a function is nil.
func required(what string, missing bool) error {
	if missing {
		return errors.New(what + " is nil")
	}
	return nil
}

// handOn is flow.HandOn for rows that are not p's own: it clears them, so that what they refer
// to is not kept until the next page comes.
func handOn[A, B any](ctx context.Context, p *flow.Page[A], rows []B, out flow.Observer[B]) error {
	err := flow.HandOn(ctx, p, rows, out)
	clear(rows)
	return err
}

// failed tells the run of a row of p for which the user's function returned an error. If it returns
// nil, leave the row out and go on.
func failed[T any](ctx context.Context, st *rxcql.Stage, p *flow.Page[T], row int, err error) error {
	return st.RowFailed(ctx, p.Reservation, rxcql.FailedRow{Position: p.Position, Index: row, Row: p.Rows[row], Err: err, Users: true})
}

// left returns the cause of ctx if that has ended while the stage was at work on a page. The rows
// of the page are then dropped: on purpose, if an operator downstream ended the stream.
func left(ctx context.Context, st *rxcql.Stage, rows int) error {
	if ctx.Err() == nil {
		return nil
	}
	err := context.Cause(ctx)
	if flow.IsEnd(err) {
		st.CountDropped(rows)
	}
	return err
}

// atLeastOne is a SizeFunc for which no row has no bytes: to the budget a row that is held without
// bytes would be none, and nothing would move.
func atLeastOne[T any](size func(*T) int) func(*T) int {
	return func(row *T) int { return max(1, size(row)) }
}
