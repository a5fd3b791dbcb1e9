package operators

import (
	"context"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// Filter hands on the rows for which keep returns true. The others are counted
// as filtered in the report.
//
// Order is kept, and rows go on a page at a time. It holds nothing and is resumable. In a job keep
// must keep no state from row to row (see Map): if it remembers keys, for example, it lets
// duplicates through after a restart.
func Filter[T any](in rxcql.Stream[T], keep func(T) bool) rxcql.Stream[T] {
	info := rxcql.StageInfo{Name: "Filter", Drops: true, Err: required("the function", keep == nil)}
	return rxcql.Lift(in, info, func(_ *rxcql.Stage, out flow.Observer[T]) flow.Observer[T] {
		return &filtering[T]{out: out, keep: keep}
	})
}

type filtering[T any] struct {
	out  flow.Observer[T]
	keep func(T) bool
	rows []T // reused from page to page
}

func (f *filtering[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	keep, same := f.keep, 0
	for same < len(p.Rows) && keep(p.Rows[same]) {
		same++
	}
	if same == len(p.Rows) {
		return flow.HandOn(ctx, p, p.Rows, f.out)
	}
	// Rows are stored by index into a slice that is long enough. append, with its check for each
	// row, would cost a fifth of the operator.
	if cap(f.rows) < len(p.Rows) {
		f.rows = make([]T, len(p.Rows))
	}
	rows := f.rows[:len(p.Rows)]
	n := copy(rows, p.Rows[:same])
	for i := same + 1; i < len(p.Rows); i++ {
		if row := &p.Rows[i]; keep(*row) {
			rows[n] = *row
			n++
		}
	}
	rows = rows[:n]
	return handOn(ctx, p, rows, f.out)
}

func (f *filtering[T]) Done(ctx context.Context, stopped bool) error {
	return f.out.Done(ctx, stopped)
}
