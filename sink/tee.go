package sink

import (
	"context"
	"errors"
	"fmt"

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
	t := &tee[T]{sinks: sinks}
	var errs []error
	if len(sinks) == 0 {
		errs = append(errs, errors.New("no sink is given"))
	}
	for i, s := range sinks {
		if s == nil {
			errs = append(errs, fmt.Errorf("sink %d is nil", i+1))
		}
	}
	t.err = stageError("sink.Tee", errs...)
	return t
}

type tee[T any] struct {
	sinks []rxcql.Sink[T]
	err   error
}

// Info: a Tee can do what all of its sinks can do.
func (t *tee[T]) Info() rxcql.SinkInfo {
	info := rxcql.SinkInfo{Err: t.err, Resumable: true, Stages: []string{"Tee"}}
	known := true
	for _, s := range t.sinks {
		if s == nil {
			continue // reported as an error by Tee
		}
		stages := s.Info().Stages
		known = known && stages != nil
		info.Stages = append(info.Stages, stages...)
		info.Sinks = append(info.Sinks, s)
	}
	if !known {
		info.Stages = nil
	}
	return info
}

func (t *tee[T]) Check(ctx context.Context) error {
	if t.err != nil {
		return t.err
	}
	ctx, tables := withCensus(ctx)
	var errs []error
	branches := make([][]*counted, len(t.sinks))
	for i, s := range t.sinks {
		var err error
		branches[i], err = tables.during(func() error { return s.Check(ctx) })
		errs = append(errs, err)
	}
	_, err := together(branches)
	return errors.Join(append(errs, stageError("sink.Tee", err))...)
}

func (t *tee[T]) Open(ctx context.Context, r *rxcql.Execution) (rxcql.Writer[T], error) {
	if t.err != nil {
		return nil, t.err
	}
	w := &teeWriter[T]{st: r.SinkStage("Tee")}
	ctx, tables := withCensus(ctx)
	opened := make([][]*counted, len(t.sinks))
	for i, s := range t.sinks {
		err := w.st.Protect(func() (err error) {
			var branch rxcql.Writer[T]
			opened[i], err = tables.during(func() (err error) {
				branch, err = s.Open(ctx, r)
				return err
			})
			if err == nil && branch == nil {
				err = fmt.Errorf("the Open of sink %d returned no Writer and no error", i+1)
			}
			if err == nil {
				w.branches = append(w.branches, branch)
			}
			return err
		})
		if err != nil {
			return nil, errors.Join(err, w.Close())
		}
	}
	groups, err := together(opened)
	if err != nil {
		return nil, errors.Join(stageError("sink.Tee", err), w.Close())
	}
	for _, members := range groups {
		var group branchGroup[T]
		for _, i := range members {
			group = append(group, w.branches[i])
		}
		w.groups = append(w.groups, group)
	}
	return w, nil
}

type teeWriter[T any] struct {
	st       *rxcql.Stage
	branches []rxcql.Writer[T]
	groups   []branchGroup[T] // the branches, in groups that take a page together
}

// Write stops at the first branch that fails; the page stays unsettled.
func (w *teeWriter[T]) Write(ctx context.Context, p *flow.Page[T]) error {
	w.st.CountIn(len(p.Rows))
	for _, group := range w.groups {
		if err := group.write(ctx, p); err != nil {
			return err
		}
	}
	w.st.CountOut(len(p.Rows))
	return nil
}

// branchGroup is branches of a Tee that take a page together.
type branchGroup[T any] []rxcql.Writer[T]

// write hands a page as it is to a single branch. To several branches it hands the page row by row,
// each row to all of them before the next row, so that the table's clock sees the rows in the order
// of the stream.
func (g branchGroup[T]) write(ctx context.Context, p *flow.Page[T]) error {
	if len(g) == 1 {
		return g[0].Write(ctx, p)
	}
	return p.EachRow(func(row *flow.Page[T]) error {
		for _, branch := range g {
			if err := branch.Write(ctx, row); err != nil {
				return err
			}
		}
		return nil
	})
}

func (w *teeWriter[T]) Flush(ctx context.Context) error {
	return w.all(func(b rxcql.Writer[T]) error { return b.Flush(ctx) })
}

func (w *teeWriter[T]) Close() error {
	return w.all(func(b rxcql.Writer[T]) error { return b.Close() })
}

// all calls every branch, even if others fail.
func (w *teeWriter[T]) all(call func(rxcql.Writer[T]) error) error {
	var errs []error
	for _, b := range w.branches {
		errs = append(errs, w.st.Protect(func() error { return call(b) }))
	}
	return errors.Join(errs...)
}
