package sink

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// Drop is what the function given to Route returns for a row that no sink is to get.
const Drop = -1

// Route writes each row into one of several sinks. pick returns the number of the sink, counted
// from 0 in the given order, or Drop:
//
//	sink.Route(func(c Change) int {
//		if c.Deleted {
//			return 1
//		}
//		return 0
//	},
//		sink.Table[Change](session, "shop.orders"),
//		sink.Table[Change](session, "shop.orders", sink.Delete()),
//	)
//
// pick is called once for each row, in the order of the stream, by one goroutine at a time. Any
// other number is an error of its row (rxcql.WithRowErrors): by default it ends the run, else the
// row is skipped or becomes a dead letter. In a job pick must depend on the row alone: a row that
// comes again would else go to another sink. A panic of pick ends the run.
//
// Order: each sink gets its rows in the order of the stream. Several sinks may write one table, as
// above: sink.Table, also behind Through, in a Tee or another Route, with another session, or
// inside a sink of your own. The table's id on the server counts, not its name. These sinks apply
// the stream in its order: of two rows with one key the later wins, whichever sink it goes to. For
// that they get the rows of a page in runs, each run of rows that follow each other and go to one
// sink. So rows that take turns come one by one, which costs about half a microsecond for each.
// Other sinks get all of their rows of a page at once. What Tee says of the operators that may
// stand before a table of several sinks, and of sink.TimestampOf, Exec and Each, holds here too.
//
// A page is settled when all of its rows are done in their sinks. A sink that fails fails the run;
// a slow one slows the others. Route itself holds nothing. What the sinks hold is charged to each
// of them.
//
// In the report, the stage Route has as rows out what it handed to its sinks, and as dropped rows
// those for which pick returned Drop. A row that fails in a sink is named by its place in the page
// as it came to Route.
func Route[T any](pick func(row T) int, sinks ...rxcql.Sink[T]) rxcql.Sink[T] {
	var errs []error
	if pick == nil {
		errs = append(errs, errors.New("the function is nil"))
	}
	return &route[T]{newBranches("Route", sinks, errs...), pick}
}

type route[T any] struct {
	branches[T]
	pick func(T) int
}

func (s *route[T]) Open(ctx context.Context, r *rxcql.Execution) (rxcql.Writer[T], error) {
	all, err := s.open(ctx, r)
	if err != nil {
		return nil, err
	}
	w := &routeWriter[T]{branchWriters: all, pick: s.pick, counts: make([]int, len(s.sinks)), together: make([]int, len(s.sinks))}
	for g, group := range w.groups {
		for _, i := range group {
			w.together[i] = g
		}
	}
	w.outside = fmt.Errorf("the function given to sink.Route returned neither sink.Drop nor the number of a sink, from 0 to %d", len(s.sinks)-1)
	return w, nil
}

type routeWriter[T any] struct {
	*branchWriters[T]
	pick     func(T) int
	outside  error
	together []int // for each branch, the index of its group

	// Of the page being written:
	to     []int   // the branch of each row; Drop for none
	counts []int   // rows of each branch
	rows   []T     // those of one branch
	at     []int32 // and their indexes
	all    []int32 // the indexes of all rows
}

// Write stops at the first branch that fails; the page stays unsettled.
func (w *routeWriter[T]) Write(ctx context.Context, p *flow.Page[T]) error {
	w.st.CountIn(len(p.Rows))
	if err := w.st.Protect(func() error { return w.choose(ctx, p) }); err != nil {
		return err
	}
	for g, group := range w.groups {
		var err error
		if len(group) == 1 {
			err = w.write(ctx, p, group[0])
		} else {
			err = w.writeInRuns(ctx, p, g)
		}
		if err != nil {
			return err
		}
	}
	for _, n := range w.counts {
		w.st.CountOut(n)
	}
	return nil
}

// choose finds the branch of each row.
func (w *routeWriter[T]) choose(ctx context.Context, p *flow.Page[T]) error {
	w.to = w.to[:0]
	clear(w.counts)
	dropped := 0
	for i := range p.Rows {
		if i%64 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		to := w.pick(p.Rows[i])
		switch {
		case to == Drop:
			dropped++
		case to >= 0 && to < len(w.branches):
			w.counts[to]++
		default:
			failed := rxcql.FailedRow{Position: p.Position, Index: i, Row: p.Rows[i], Err: w.outside}
			if err := w.st.RowFailed(ctx, p.Reservation, failed); err != nil {
				return err
			}
			to = Drop
		}
		w.to = append(w.to, to)
	}
	w.st.CountDropped(dropped)
	return nil
}

// write hands a branch its rows of a page at once.
func (w *routeWriter[T]) write(ctx context.Context, p *flow.Page[T], branch int) error {
	switch w.counts[branch] {
	case 0:
		return w.say(ctx, p, branch)
	case len(p.Rows):
		return w.branches[branch].Write(ctx, p)
	}
	w.rows, w.at = w.rows[:0], w.at[:0]
	for i, to := range w.to {
		if to == branch {
			w.rows = append(w.rows, p.Rows[i])
			w.at = append(w.at, int32(i)) //nolint:gosec // no page has two billion rows
		}
	}
	said := p.Advance()
	p.Position = p.Picked(w.at)
	err := w.branches[branch].Write(ctx, flow.Derive(p, w.rows))
	p.Say(said)
	clear(w.rows)
	return err
}

// writeInRuns hands branches that write one table their rows of a page in the order of the stream,
// so that the table's clock sees the rows in that order.
func (w *routeWriter[T]) writeInRuns(ctx context.Context, p *flow.Page[T], group int) error {
	for i := len(w.all); i < len(p.Rows); i++ {
		w.all = append(w.all, int32(i)) //nolint:gosec // no page has two billion rows
	}
	said := p.Hush()
	defer p.Say(said)
	whole := p.Position
	var to int
	for from := 0; from < len(p.Rows); from = to {
		branch := w.to[from]
		for to = from + 1; to < len(p.Rows) && w.to[to] == branch; {
			to++
		}
		if branch == Drop || w.together[branch] != group {
			continue
		}
		p.Position = whole.Picked(w.all[from:to])
		if err := w.branches[branch].Write(ctx, flow.Derive(p, p.Rows[from:to:to])); err != nil {
			return err
		}
	}
	p.Say(said)
	for _, branch := range w.groups[group] {
		if err := w.say(ctx, p, branch); err != nil {
			return err
		}
	}
	return nil
}

// say hands a branch that gets no more rows of a page what the page says of its part.
func (w *routeWriter[T]) say(ctx context.Context, p *flow.Page[T], branch int) error {
	if !p.Says() {
		return nil
	}
	return w.branches[branch].Write(ctx, flow.Derive(p, []T(nil)))
}
