package operators

import (
	"context"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// Tap calls fn with every row and hands the row on unchanged: for counters, logs and checks. fn
// sees the rows of a page before any of them goes on.
//
// One row out for each row in, in order, a page at a time. It holds nothing and is resumable. When
// a job goes on, fn sees some rows again, and none of those that were settled before; so a count
// that fn keeps covers this run only (see Map). An error of fn belongs to its row
// (rxcql.WithRowErrors): by default it ends the stream, else the row is left out.
func Tap[T any](in rxcql.Stream[T], fn func(T) error) rxcql.Stream[T] {
	info := rxcql.StageInfo{Name: "Tap", OneToOne: true, Err: required("the function", fn == nil)}
	return rxcql.Lift(in, info, func(st *rxcql.Stage, out flow.Observer[T]) flow.Observer[T] {
		return &tapping[T]{st: st, out: out, fn: fn}
	})
}

type tapping[T any] struct {
	st  *rxcql.Stage
	out flow.Observer[T]
	fn  func(T) error

	rows []T // the rows of a page that are left, if one failed
}

func (t *tapping[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	bad := 0
	for i := range p.Rows {
		if err := t.fn(p.Rows[i]); err != nil {
			if err := failed(ctx, t.st, p, i, err); err != nil {
				return err
			}
			if bad++; bad == 1 {
				t.rows = append(t.rows[:0], p.Rows[:i]...) // the page's own slice must not be changed
			}
		} else if bad > 0 {
			t.rows = append(t.rows, p.Rows[i])
		}
	}
	if bad > 0 {
		return handOn(ctx, p, t.rows, t.out)
	}
	return flow.HandOn(ctx, p, p.Rows, t.out)
}

func (t *tapping[T]) Done(ctx context.Context, stopped bool) error {
	return t.out.Done(ctx, stopped)
}
