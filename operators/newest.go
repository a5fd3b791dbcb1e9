package operators

import (
	"context"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// byTheMoment is why operators that drop rows by time cannot be part of a job.
const byTheMoment = "which rows it drops depends on the moment, and a run that goes on would drop others; " +
	"write all rows to a table in the job, and thin them out in a run without a checkpoint"

// newest keeps the newest row of a stream, and drops those before it. One goroutine at a time uses
// it.
type newest[T any] struct {
	st      *rxcql.Stage
	out     flow.Observer[T]
	account *flow.Account
	size    func(*T) int
	keep    func(T) T

	row    T
	at     flow.Position
	held   *flow.Reservation // of row; nil while there is none
	behind flow.Advances     // how far the parts have come, behind row
}

func newNewest[T any](st *rxcql.Stage, out flow.Observer[T]) *newest[T] {
	return &newest[T]{st: st, out: out, account: st.Account(true), size: atLeastOne(rxcql.SizeFunc[T]()), keep: rxcql.CloneFunc[T]()}
}

// take takes the last row of a page for the newest. The rows before it are dropped, the one that
// was kept too; what that held back goes on.
func (n *newest[T]) take(ctx context.Context, p *flow.Page[T]) error {
	if n.held != nil {
		n.held.Settle()
		n.held = nil
		n.st.CountDropped(1)
		if err := flow.Tell(ctx, n.account, &n.behind, n.out); err != nil {
			if flow.IsEnd(err) {
				n.st.CountDropped(len(p.Rows))
			}
			return err
		}
	}
	last := len(p.Rows) - 1
	n.row, n.at = n.keep(p.Rows[last]), p.From(last)
	n.at.Last = false
	n.held = n.account.Reservation()
	n.held.Take(p.Reservation, int64(n.size(&n.row)))
	n.behind.Add(p.Advance())
	n.st.CountDropped(last)
	return nil
}

// pass hands on a page without rows, unless the row that is kept is before it.
func (n *newest[T]) pass(ctx context.Context, p *flow.Page[T]) error {
	if n.behind.HoldBack(p.PartID()) {
		n.behind.Add(p.Advance())
		return nil
	}
	return flow.HandOn(ctx, p, p.Rows, n.out)
}

// emit hands on the row that is kept, if there is one.
func (n *newest[T]) emit(ctx context.Context) error {
	if n.held == nil {
		return nil
	}
	held, rows := n.held, []T{n.row}
	var none T
	n.held, n.row = nil, none
	held.Position = n.at
	return flow.Emit(ctx, n.account, &flow.Page[T]{Rows: rows, Reservation: held}, &n.behind, n.out)
}

// end gives up the row that is kept when the stream has ended with err.
func (n *newest[T]) end(err error) {
	if n.held == nil {
		return
	}
	n.held.Finish(err)
	if err == nil || flow.IsEnd(err) { // otherwise it is not dropped on purpose
		n.st.CountDropped(1)
	}
}
