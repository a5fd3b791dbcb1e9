package rxcqltest_test

import (
	"context"
	"slices"
	"testing"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/rxcqltest"
)

// laggard is an operator that keeps a page until the next one comes. What it does can be
// replaced, so that it does wrong.
type laggard struct {
	depth int // pages that it keeps
	start func(o *lagging)
	keep  func(o *lagging, k *kept, p *flow.Page[[]int]) // when it has taken a page
	give  func(ctx context.Context, o *lagging, k *kept) error
	drop  func(o *lagging, k *kept) // what is not handed on
	done  func(ctx context.Context, o *lagging, stopped bool) error
	ended func(ctx context.Context, o *lagging, err error) error // what it returns
}

// lagging is a laggard in one run.
type lagging struct {
	*laggard
	st      *rxcql.Stage
	account *flow.Account
	out     flow.Observer[[]int]
	queue   []*kept
	refused bool // a page was, downstream
	told    bool // of the end, downstream
}

// kept is a page that it keeps.
type kept struct {
	reservation *flow.Reservation
	rows        [][]int
	said        flow.Advance
}

func (l *laggard) stream(in rxcql.Stream[[]int]) rxcql.Stream[[]int] {
	info := rxcql.StageInfo{Name: "Laggard", HoldsRows: true}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[[]int]) error {
		o := &lagging{laggard: l, st: st, out: out, account: st.Account(false)}
		if l.start != nil {
			l.start(o)
		}
		err := in.Subscribe(ctx, st, o)
		for _, k := range o.queue {
			if l.drop != nil {
				l.drop(o, k)
			} else {
				k.reservation.Finish(err)
			}
		}
		if l.ended != nil {
			return l.ended(ctx, o, err)
		}
		return err
	}, in)
}

func (o *lagging) Next(ctx context.Context, p *flow.Page[[]int]) error {
	if err := o.handOn(ctx, max(o.depth, 1)-1); err != nil {
		return err
	}
	k := &kept{reservation: o.account.Reservation(), rows: slices.Clone(p.Rows), said: p.Advance()}
	k.reservation.Take(p.Reservation, p.Bytes())
	if o.keep != nil {
		o.keep(o, k, p)
	}
	o.queue = append(o.queue, k)
	return nil
}

// handOn hands on what is kept, but for so many pages.
func (o *lagging) handOn(ctx context.Context, leave int) error {
	for len(o.queue) > leave {
		k := o.queue[0]
		o.queue = o.queue[1:]
		give := o.give
		if give == nil {
			give = giveRows
		}
		if err := give(ctx, o, k); err != nil {
			return err
		}
	}
	return nil
}

// giveRows hands a page on.
func giveRows(ctx context.Context, o *lagging, k *kept) error {
	k.reservation.Emit()
	k.reservation.Say(k.said)
	err := o.out.Next(ctx, &flow.Page[[]int]{Rows: k.rows, Reservation: k.reservation})
	o.refused = o.refused || err != nil
	k.reservation.Finish(err)
	return err
}

// tell hands on a page without rows.
func tell(ctx context.Context, o *lagging, said flow.Advance) error {
	r := o.account.Reservation()
	r.Say(said)
	err := o.out.Next(ctx, &flow.Page[[]int]{Reservation: r})
	r.Finish(err)
	return err
}

func (o *lagging) Done(ctx context.Context, stopped bool) error {
	if o.done != nil {
		return o.done(ctx, o, stopped)
	}
	return finish(ctx, o, stopped)
}

func finish(ctx context.Context, o *lagging, stopped bool) error {
	if err := o.handOn(ctx, 0); err != nil {
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
