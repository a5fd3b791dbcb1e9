package operators

import (
	"context"
	"errors"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// inputs are the streams that an operator reads, as its stage has them. None is an error.
func inputs[T any](ins []rxcql.Stream[T]) ([]rxcql.AnyStream, error) {
	if len(ins) == 0 {
		return nil, errors.New("no streams given")
	}
	all := make([]rxcql.AnyStream, len(ins))
	for i, in := range ins {
		all[i] = in
	}
	return all, nil
}

// joining is what several inputs, all of one type, drain into, a page at a time.
type joining[T any] struct {
	out     flow.Observer[T]
	stopped bool
}

func (j *joining[T]) Next(ctx context.Context, p *flow.Page[T]) error { return j.out.Next(ctx, p) }

// Done is called once an input.
func (j *joining[T]) Done(_ context.Context, stopped bool) error {
	j.stopped = j.stopped || stopped
	return nil
}

// Demand is what is wanted downstream now. Inputs that are read at once may bring more than
// that together.
func (j *joining[T]) Demand() int64 { return flow.DemandOf(j.out) }
