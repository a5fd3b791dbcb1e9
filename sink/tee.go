package sink

import (
	"context"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// Tee writes every row into several sinks, in one pass over the stream. Each page goes to the sinks
// one after the other, in the given order, and is settled when it is done in all of them. A sink
// that fails fails the run; a slow one slows the others.
//
// Several sinks may write one table: sink.Table, also behind Through, in another Tee, with another
// session, or inside a sink of your own. The table's id on the server counts, not its name. These
// sinks apply the stream in its order:
//
//	sink.Tee(
//		sink.Through(upserts, sink.Table[Change](session, "shop.orders")),
//		sink.Through(deletes, sink.Table[Change](session, "shop.orders", sink.Delete())),
//	)
//
// Of two elements with one key the later wins, whichever sink it goes to. If two sinks write a row
// for the same element, that of the later sink wins. A page goes to these sinks, and only to them,
// row by row, when it is the turn of the first of them. That costs about half a microsecond for
// each row and sink.
//
// Between the Tee and such a table there may be no operator that holds rows, mixes them or hands
// them on from another goroutine: Batch, Reduce, GroupAdjacent, DistinctAdjacent, MapConcurrent,
// Merge, Rx, or one of your own by NewStream that is not rxcql.StageInfo.Synchronous. Check and Run
// refuse it. Map, Filter, FlatMap, Scan, Take, TakeWhile, Skip, Tap, Concat and Distinct are
// allowed. A sink of your own must hand rows on before its Write returns, and pass on the context
// of its Check and Open.
//
// This order is not kept for a table written with sink.TimestampOf, whose rows have timestamps of
// their own, nor for what sink.Exec and sink.Each write, which has the time of its request. If such
// a sink and a sink.Table write one table, you must see to the order yourself.
//
// Tee itself holds nothing. What the sinks hold is charged to each of them; so the bytes in flight
// may reach the bound that flow.Budget states, times the number of sinks that keep rows while they
// write (Each without InFlight keeps none). Tee's own stage counts a row once; Report.Written
// counts it once for each sink.
func Tee[T any](sinks ...rxcql.Sink[T]) rxcql.Sink[T] {
	return &tee[T]{newBranches("Tee", sinks)}
}

type tee[T any] struct{ branches[T] }

func (t *tee[T]) Open(ctx context.Context, r *rxcql.Execution) (rxcql.Writer[T], error) {
	w, err := t.open(ctx, r)
	if err != nil {
		return nil, err
	}
	return teeWriter[T]{w}, nil
}

type teeWriter[T any] struct{ *branchWriters[T] }

// Write stops at the first branch that fails; the page stays unsettled.
func (w teeWriter[T]) Write(ctx context.Context, p *flow.Page[T]) error {
	w.st.CountIn(len(p.Rows))
	for _, group := range w.groups {
		if err := w.write(ctx, p, group); err != nil {
			return err
		}
	}
	w.st.CountOut(len(p.Rows))
	return nil
}

// write hands a page as it is to a single branch. To several branches, which write one table, it
// hands the page row by row, each row to all of them before the next row, so that the table's clock
// sees the rows in the order of the stream.
func (w teeWriter[T]) write(ctx context.Context, p *flow.Page[T], group []int) error {
	if len(group) == 1 {
		return w.branches[group[0]].Write(ctx, p)
	}
	return p.EachRow(func(row *flow.Page[T]) error {
		for _, i := range group {
			if err := w.branches[i].Write(ctx, row); err != nil {
				return err
			}
		}
		return nil
	})
}
