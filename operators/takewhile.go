package operators

import (
	"context"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// TakeWhile hands rows on until keep returns false. That row is not handed on, and ends the stream.
// The report of the run is then not Complete, and EndedBy names the stage.
//
// The order is that of arrival, which is no order of keys if ranges are read in parallel. Rows go
// on a page at a time; it holds nothing. It is not resumable.
func TakeWhile[T any](in rxcql.Stream[T], keep func(T) bool) rxcql.Stream[T] {
	info := rxcql.StageInfo{
		Name: "TakeWhile", NotResumable: true, NotResumableReason: "no checkpoint says that it has ended; say in the query where rows end", Drops: true,
		Err: required("the function", keep == nil),
	}
	return rxcql.Lift(in, info, func(st *rxcql.Stage, out flow.Observer[T]) flow.Observer[T] {
		return &takingWhile[T]{st: st, out: out, keep: keep}
	})
}

type takingWhile[T any] struct {
	st   *rxcql.Stage
	out  flow.Observer[T]
	keep func(T) bool
}

func (t *takingWhile[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	for i := range p.Rows {
		if t.keep(p.Rows[i]) {
			continue
		}
		if err := flow.HandOn(ctx, p, p.Rows[:i], t.out); err != nil {
			return err
		}
		if err := t.out.Done(ctx, false); err != nil {
			return err
		}
		return t.st.End()
	}
	return flow.HandOn(ctx, p, p.Rows, t.out)
}

func (t *takingWhile[T]) Done(ctx context.Context, stopped bool) error {
	return t.out.Done(ctx, stopped)
}

// Demand is that of downstream: until the stream ends every row goes on.
func (t *takingWhile[T]) Demand() int64 { return flow.DemandOf(t.out) }
