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

// handOn delivers rows made from p under its reservation, and then clears them, so that what they
// refer to is not kept until the next page comes. A page without rows goes on only if it says
// something: that its range ends, or a watermark.
func handOn[A, B any](ctx context.Context, p *flow.Page[A], rows []B, out flow.Observer[B]) error {
	if len(rows) == 0 && !p.Advance().Says() {
		return nil
	}
	err := out.Next(ctx, flow.Derive(p, rows))
	clear(rows)
	return err
}

// cut delivers some of the rows of p, which remain p's.
func cut[T any](ctx context.Context, p *flow.Page[T], rows []T, out flow.Observer[T]) error {
	if len(rows) == 0 && !p.Advance().Says() {
		return nil
	}
	return out.Next(ctx, flow.Derive(p, rows))
}

// tell hands on how far a part has come, in a page without rows.
func tell[T any](ctx context.Context, account *flow.Account, a flow.Advance, out flow.Observer[T]) error {
	reservation := account.Reservation()
	reservation.Say(a)
	err := out.Next(ctx, &flow.Page[T]{Reservation: reservation})
	reservation.Finish(err)
	return err
}

// tellAll hands on how far parts have come, and forgets it. It is for what was held back until rows
// had gone on.
func tellAll[T any](ctx context.Context, account *flow.Account, parts *flow.Advances, out flow.Observer[T]) error {
	for _, a := range parts.Take() {
		if err := tell(ctx, account, a, out); err != nil {
			return err
		}
	}
	return nil
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
