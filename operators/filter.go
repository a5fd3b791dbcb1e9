package operators

import (
	"context"

	"github.com/rxcql/rxcql"
)

// Filter hands on the rows for which keep returns true. The others are counted
// as filtered in the report.
//
// Order is kept, and rows go on a page at a time. It holds nothing and is
// resumable.
func Filter[T any](in rxcql.Stream[T], keep func(T) bool) rxcql.Stream[T] {
	info := rxcql.StageInfo{Name: "Filter", Drops: true, Err: required("the function", keep == nil)}
	return rxcql.Lift(in, info, func(_ *rxcql.Stage, out rxcql.Observer[T]) rxcql.Observer[T] {
		return &filtering[T]{out: out, keep: keep}
	})
}

type filtering[T any] struct {
	out  rxcql.Observer[T]
	keep func(T) bool
	rows []T // reused from page to page
}

func (f *filtering[T]) Next(ctx context.Context, p *rxcql.Page[T]) error {
	keep, same := f.keep, 0
	for same < len(p.Rows) && keep(p.Rows[same]) {
		same++
	}
	if same == len(p.Rows) {
		return cut(ctx, p, p.Rows, f.out)
	}
	rows := append(f.rows[:0], p.Rows[:same]...)
	for i := same + 1; i < len(p.Rows); i++ {
		if keep(p.Rows[i]) {
			rows = append(rows, p.Rows[i])
		}
	}
	f.rows = rows
	return handOn(ctx, p, rows, f.out)
}

func (f *filtering[T]) Done(ctx context.Context, stopped bool) error {
	return f.out.Done(ctx, stopped)
}
