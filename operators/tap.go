package operators

import (
	"context"

	"github.com/rxcql/rxcql"
)

// Tap calls fn with every row and hands the row on as it is: for counters, logs
// and checks. fn sees the rows of a page before any of them goes on.
//
// One row out for each row in, in order, a page at a time. It holds nothing and
// is resumable; after a restart fn sees rows again. An error of fn ends the
// stream.
func Tap[T any](in rxcql.Stream[T], fn func(T) error) rxcql.Stream[T] {
	info := rxcql.StageInfo{Name: "Tap", OneToOne: true, Err: required("the function", fn == nil)}
	return rxcql.Lift(in, info, func(st *rxcql.Stage, out rxcql.Observer[T]) rxcql.Observer[T] {
		return &tapping[T]{st: st, out: out, fn: fn}
	})
}

type tapping[T any] struct {
	st  *rxcql.Stage
	out rxcql.Observer[T]
	fn  func(T) error
}

func (t *tapping[T]) Next(ctx context.Context, p *rxcql.Page[T]) error {
	for i := range p.Rows {
		if err := t.fn(p.Rows[i]); err != nil {
			return t.st.Fail(err)
		}
	}
	return cut(ctx, p, p.Rows, t.out)
}

func (t *tapping[T]) Done(ctx context.Context, stopped bool) error {
	return t.out.Done(ctx, stopped)
}
