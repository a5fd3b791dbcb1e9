package rxcqltest_test

import (
	"context"
	"sync"
	"testing"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/rxcqltest"
)

// passing is an operator that hands pages on as they are.
type passing struct {
	flow.Observer[[]int]
	first   context.Context // of the first call
	refused bool
	next    func(ctx context.Context, o *passing, p *flow.Page[[]int]) error // may be nil
}

func (o *passing) Next(ctx context.Context, p *flow.Page[[]int]) error {
	if o.first == nil {
		o.first = ctx
	}
	next := o.next
	if next == nil {
		next = func(ctx context.Context, o *passing, p *flow.Page[[]int]) error { return o.Observer.Next(ctx, p) }
	}
	err := next(ctx, o, p)
	o.refused = o.refused || err != nil
	return err
}

// passingPlace is a place of operators that are run by a function.
func passingPlace(run func() func(ctx context.Context, st *rxcql.Stage, in rxcql.Stream[[]int], o *passing) error) func(testing.TB) rxcqltest.OperatorPlace[[]int, []int] {
	return func(testing.TB) rxcqltest.OperatorPlace[[]int, []int] {
		return rxcqltest.OperatorPlace[[]int, []int]{
			Operator: func(in rxcql.Stream[[]int]) rxcql.Stream[[]int] {
				runs := run()
				return rxcql.NewStream(rxcql.StageInfo{Name: "Passing"}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[[]int]) error {
					return runs(ctx, st, in, &passing{Observer: out})
				}, in)
			},
			Row:  func(n int) []int { return []int{n} },
			From: func(row []int) []int { return row },
		}
	}
}

func wrongApart() []operatorPlant {
	type runs = func(ctx context.Context, st *rxcql.Stage, in rxcql.Stream[[]int], o *passing) error
	return []operatorPlant{
		{"After an error or a cancel everything is given back, and no row is settled that has not come out", "it takes a cancel for the end", passingPlace(func() runs {
			return func(ctx context.Context, st *rxcql.Stage, in rxcql.Stream[[]int], o *passing) error {
				err := in.Subscribe(ctx, st, o)
				if err != nil && ctx.Err() != nil && !o.refused && !st.Run().HasCheckpoint() {
					return o.Done(context.WithoutCancel(ctx), false)
				}
				return err
			}
		})},
		{"What goes on after Next does not use its context", "it uses that of the first call", passingPlace(func() runs {
			return func(ctx context.Context, st *rxcql.Stage, in rxcql.Stream[[]int], o *passing) error {
				o.next = func(_ context.Context, o *passing, p *flow.Page[[]int]) error {
					return o.Observer.Next(o.first, p) //nolint:contextcheck // that is what is wrong
				}
				return in.Subscribe(ctx, st, o)
			}
		})},
		{"A stream may be read twice at the same time", "both runs have one memory", passingPlace(func() runs {
			var mu sync.Mutex
			met := map[int]bool{}
			return func(ctx context.Context, st *rxcql.Stage, in rxcql.Stream[[]int], o *passing) error {
				mu.Lock()
				met = map[int]bool{}
				mu.Unlock()
				o.next = func(ctx context.Context, o *passing, p *flow.Page[[]int]) error {
					var rows [][]int
					mu.Lock()
					for _, row := range p.Rows {
						if !met[row[0]] {
							rows = append(rows, row)
						}
						met[row[0]] = true
					}
					mu.Unlock()
					return flow.HandOn(ctx, p, rows, o.Observer)
				}
				return in.Subscribe(ctx, st, o)
			}
		})},
	}
}

func TestAnOperatorThatPassesPagesOnPassesTheSuite(t *testing.T) {
	rxcqltest.TestOperator(t, passingPlace(func() func(context.Context, *rxcql.Stage, rxcql.Stream[[]int], *passing) error {
		return func(ctx context.Context, st *rxcql.Stage, in rxcql.Stream[[]int], o *passing) error {
			return in.Subscribe(ctx, st, o)
		}
	}))
}

func TestAnOperatorThatKeepsAllRowsPassesTheSuiteIfItSaysSo(t *testing.T) {
	sorting := laggardPlace(func(_ testing.TB, l *laggard) { l.depth = 1000 })
	rxcqltest.TestOperator(t, func(t testing.TB) rxcqltest.OperatorPlace[[]int, []int] {
		place := sorting(t)
		place.Gathers = true
		return place
	})
}
