package flow

import (
	"context"
	"errors"
)

// errLeft stays if what follows does not return: where a function of the user's calls
// runtime.Goexit, say.
var errLeft = errors.New("a function left its goroutine")

// HandOn delivers rows made from p, or some of p's own, under p's reservation, for operators. Where
// there are none p goes on as a page without rows, but only if it says something of its part: that
// it ends or is idle, a watermark, or something of all parts.
func HandOn[A, B any](ctx context.Context, p *Page[A], rows []B, out Observer[B]) error {
	if len(rows) == 0 && !p.Says() {
		return nil
	}
	if len(rows) != len(p.Rows) && p.split() { // nobody knows which rows of the page these are
		said := p.Advance()
		p.Position = p.Delivered()
		defer p.Say(said)
	}
	return out.Next(ctx, Derive(p, rows))
}

// Tell hands on how far parts have come, each in a page without rows, and forgets it: for
// operators, when all rows that these waited for have been handed on and before their reservation
// ends. In between a source that waits would be told that nothing moves, though what is held
// downstream may be let go of when the parts have come so far. The account is any of the
// operator's.
func Tell[T any](ctx context.Context, account *Account, parts *Advances, out Observer[T]) error {
	all := parts.Take()
	if len(all) == 0 {
		return nil
	}
	account.UsedIn(ctx)
	moving := account.Reservation()
	moving.Emit()
	defer moving.Settle()
	for _, a := range all {
		reservation := account.Reservation() // empty: there is nothing to give back if Next does not return
		reservation.Say(a)
		err := out.Next(ctx, &Page[T]{Reservation: reservation})
		reservation.Finish(err)
		if err != nil {
			return err
		}
	}
	return nil
}

// Emit hands on rows that an operator has kept, as a page under the reservation that it has kept
// them under (Reservation.Emit), and then what was held back until they had gone (Tell). behind is
// nil if nothing was. However downstream ends, the reservation is finished with its error. The
// account is any of the operator's.
func Emit[T any](ctx context.Context, account *Account, p *Page[T], behind *Advances, out Observer[T]) error {
	p.Emit()
	result := errLeft
	defer func() { p.Finish(result) }()
	err := out.Next(ctx, p)
	if err == nil && behind != nil {
		err = Tell(ctx, account, behind, out)
	}
	result = err
	return err
}
