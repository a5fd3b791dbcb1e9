package operators

import (
	"context"
	"errors"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// Reduce folds all rows with fn, and hands on one row, the last state, when the stream has ended.
// seed makes the state to begin with. It is called once for each reading of the stream, so a map or
// a pointer belongs to that reading alone. For a stream without rows, the one row is what seed
// made.
//
//	perCity := operators.Reduce(flights,
//		func() map[string]int { return map[string]int{} },
//		func(n map[string]int, f Flight) (map[string]int, error) { n[f.City]++; return n, nil })
//
// It holds the state, and the receipt of every page (about 50 bytes each): none is settled before
// the one row is durable. It is not resumable. If reading is stopped early (Pipeline.Stop), nothing
// is handed on, since a fold over a part of the rows is not what was asked for. An error of fn ends
// the stream, whatever rxcql.WithRowErrors says: without the row the result would be wrong.
func Reduce[T, S any](in rxcql.Stream[T], seed func() S, fn func(state S, row T) (S, error)) rxcql.Stream[S] {
	info := rxcql.StageInfo{
		Name: "Reduce", MixesRows: true, NotResumable: true, NotResumableReason: "no checkpoint has its state; fold each partition by GroupAdjacent", HoldsRows: true,
		Err: errors.Join(required("the seed function", seed == nil), required("the function", fn == nil)),
	}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[S]) error {
		account := st.Account(false)
		r := &reducing[T, S]{st: st, out: out, fn: fn, state: seed(), account: account, reservation: account.Reservation()}
		return ending(func() error { return in.Subscribe(ctx, st, r) }, func(err error) {
			if r.reservation != nil {
				r.reservation.Finish(err)
			}
		})
	}, in)
}

type reducing[T, S any] struct {
	st    *rxcql.Stage
	out   flow.Observer[S]
	fn    func(S, T) (S, error)
	state S

	account     *flow.Account
	reservation *flow.Reservation // the receipts of all pages; nil after Done
	behind      flow.Advances     // of all parts, held back until the one row has been handed on
}

func (r *reducing[T, S]) Next(_ context.Context, p *flow.Page[T]) error {
	r.behind.Add(p.Advance())
	if len(p.Rows) == 0 {
		return nil
	}
	state, fn := r.state, r.fn
	for i := range p.Rows {
		next, err := fn(state, p.Rows[i])
		if err != nil {
			return r.st.FailUserFunc(err, p.Rows[i])
		}
		state = next
	}
	r.state = state
	r.reservation.Take(p.Reservation, 0)
	return nil
}

func (r *reducing[T, S]) Done(ctx context.Context, stopped bool) error {
	held := r.reservation
	r.reservation = nil
	if stopped {
		r.st.Abandon(held)
		return r.out.Done(ctx, true)
	}
	if err := flow.Emit(ctx, r.account, &flow.Page[S]{Rows: []S{r.state}, Reservation: held}, &r.behind, r.out); err != nil {
		return err
	}
	return r.out.Done(ctx, false)
}
