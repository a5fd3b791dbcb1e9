package main

import (
	"context"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// whenDurable is an operator of our own: it hands all rows on, and says when they are durable. It
// calls begun with the rows of each page that comes. What begun returns is called as soon as the
// sink is done with everything that was made of these rows; it must not wait for anything. It is
// not called if the run fails before. The slice of rows belongs to the engine, and is used again.
//
// Pages may become durable in any order.
func whenDurable[T any](in rxcql.Stream[T], begun func(rows []T) (durable func())) rxcql.Stream[T] {
	info := rxcql.StageInfo{Name: "WhenDurable", OneToOne: true}
	return rxcql.Lift(in, info, func(_ *rxcql.Stage, out flow.Observer[T]) flow.Observer[T] {
		return &watching[T]{out, begun}
	})
}

type watching[T any] struct {
	out   flow.Observer[T]
	begun func([]T) func()
}

// Next adds a receipt of ours to those that the page owes.
func (w *watching[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	if len(p.Rows) > 0 {
		p.AddReceipt(flow.NewReceipt(w.begun(p.Rows)))
	}
	return flow.HandOn(ctx, p, p.Rows, w.out)
}

func (w *watching[T]) Done(ctx context.Context, stopped bool) error { return w.out.Done(ctx, stopped) }

// Demand hands on how many rows are wanted.
func (w *watching[T]) Demand() int64 { return flow.DemandOf(w.out) }
