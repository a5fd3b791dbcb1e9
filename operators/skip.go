package operators

import (
	"context"
	"math"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// Skip drops the first n rows and hands on the others. The dropped rows are read, and count as
// filtered in the report.
//
// "First" is by order of arrival, which is no order of keys if ranges are read in parallel. Rows go
// on a page at a time; it holds nothing. It is not resumable.
func Skip[T any](in rxcql.Stream[T], n int64) rxcql.Stream[T] {
	info := rxcql.StageInfo{Name: "Skip", NotResumable: true, NotResumableReason: "it would leave out its n rows once more when the job goes on; leave them out by a Filter on what is in the rows", Drops: true, Err: atLeast("n", n, 0)}
	return rxcql.Lift(in, info, func(_ *rxcql.Stage, out flow.Observer[T]) flow.Observer[T] {
		return &skipping[T]{out: out, left: n}
	})
}

type skipping[T any] struct {
	out  flow.Observer[T]
	left int64
}

func (s *skipping[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	gone := min(s.left, int64(len(p.Rows)))
	s.left -= gone
	return flow.HandOn(ctx, p, p.Rows[gone:], s.out)
}

func (s *skipping[T]) Done(ctx context.Context, stopped bool) error {
	return s.out.Done(ctx, stopped)
}

// Demand is that of downstream plus the rows still to be dropped.
func (s *skipping[T]) Demand() int64 {
	if out := flow.DemandOf(s.out); out > 0 {
		if s.left > math.MaxInt64-out {
			return 0
		}
		return out + s.left
	}
	return 0
}
