package rxcqltest_test

import (
	"context"
	"slices"
	"testing"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/rxcqltest"
)

// laggard is an operator that keeps each page until the next one comes. What it does can be
// replaced, so that it does wrong.
type laggard struct {
	info   rxcql.StageInfo
	keeps  func(o *lagging, p *flow.Page[[]int]) [][]int // the rows of a page that are kept
	next   func(ctx context.Context, o *lagging, p *flow.Page[[]int]) error
	give   func(ctx context.Context, o *lagging) error
	ending func(o *lagging, err error) // what becomes of what is kept that was handed on
	done   func(ctx context.Context, o *lagging, stopped bool) error
	start  func(o *lagging)

	runs int
}

// lagging is a laggard in one run.
type lagging struct {
	*laggard
	st      *rxcql.Stage
	account *flow.Account
	out     flow.Observer[[]int]
	kept    *flow.Reservation // nil if there is nothing
	rows    [][]int
	said    flow.Advance
}

func (l *laggard) stream(in rxcql.Stream[[]int]) rxcql.Stream[[]int] {
	info := l.info
	info.Name, info.HoldsRows = "Laggard", true
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[[]int]) (err error) {
		l.runs++
		o := &lagging{laggard: l, st: st, out: out, account: st.Account(false)}
		if l.start != nil {
			l.start(o)
		}
		defer func() { o.drop() }()
		return in.Subscribe(ctx, st, o)
	}, in)
}

// drop gives back what is kept and was not handed on.
func (o *lagging) drop() {
	if o.kept == nil {
		return
	}
	if o.ending != nil {
		o.ending(o, errDown)
		return
	}
	o.kept.Release()
}

func (o *lagging) Next(ctx context.Context, p *flow.Page[[]int]) error {
	if o.laggard.next != nil {
		return o.laggard.next(ctx, o, p)
	}
	return o.lag(ctx, p)
}

// lag hands on what is kept and keeps a page.
func (o *lagging) lag(ctx context.Context, p *flow.Page[[]int]) error {
	if err := o.handOn(ctx); err != nil {
		return err
	}
	o.keep(p)
	return nil
}

func (o *lagging) keep(p *flow.Page[[]int]) {
	o.kept = o.account.Reservation()
	o.kept.Take(p.Reservation, p.Bytes())
	if o.keeps != nil {
		o.rows = o.keeps(o, p)
	} else {
		o.rows = slices.Clone(p.Rows)
	}
	o.said = p.Advance()
}

func (o *lagging) handOn(ctx context.Context) error {
	if o.kept == nil {
		return nil
	}
	if o.give != nil {
		return o.give(ctx, o)
	}
	return o.giveRows(ctx)
}

// giveRows hands on what is kept.
func (o *lagging) giveRows(ctx context.Context) error {
	kept := o.kept
	kept.Emit()
	kept.Say(o.said)
	err := o.out.Next(ctx, &flow.Page[[]int]{Rows: o.rows, Reservation: kept})
	o.kept = nil
	if o.ending != nil {
		o.kept = kept
		o.ending(o, err)
		o.kept = nil
		return err
	}
	kept.Finish(err)
	return err
}

func (o *lagging) Done(ctx context.Context, stopped bool) error {
	if o.laggard.done != nil {
		return o.laggard.done(ctx, o, stopped)
	}
	return o.end(ctx, stopped)
}

func (o *lagging) end(ctx context.Context, stopped bool) error {
	if err := o.handOn(ctx); err != nil {
		return err
	}
	return o.out.Done(ctx, stopped)
}

// laggardPlace is a place of the suite. change, which may be nil, makes its operator wrong.
func laggardPlace(change func(t testing.TB, l *laggard)) func(testing.TB) rxcqltest.OperatorPlace[[]int, []int] {
	return func(t testing.TB) rxcqltest.OperatorPlace[[]int, []int] {
		return rxcqltest.OperatorPlace[[]int, []int]{
			Operator: func(in rxcql.Stream[[]int]) rxcql.Stream[[]int] {
				l := &laggard{}
				if change != nil {
					change(t, l)
				}
				return l.stream(in)
			},
			Row:  func(n int) []int { return []int{n} },
			From: func(row []int) []int { return row },
		}
	}
}
