package operators

import (
	"context"

	"github.com/rxcql/rxcql"
)

// Map hands on what fn makes of every row.
//
// One row out for each row in, in order, a page at a time. It holds nothing and
// is resumable. An error of fn ends the stream.
func Map[A, B any](in rxcql.Stream[A], fn func(A) (B, error)) rxcql.Stream[B] {
	info := rxcql.StageInfo{Name: "Map", OneToOne: true, Err: required("the function", fn == nil)}
	return rxcql.Lift(in, info, func(st *rxcql.Stage, out rxcql.Observer[B]) rxcql.Observer[A] {
		return &mapping[A, B]{st: st, out: out, fn: fn}
	})
}

type mapping[A, B any] struct {
	st   *rxcql.Stage
	out  rxcql.Observer[B]
	fn   func(A) (B, error)
	rows []B // reused from page to page
}

func (m *mapping[A, B]) Next(ctx context.Context, p *rxcql.Page[A]) error {
	if cap(m.rows) < len(p.Rows) {
		m.rows = make([]B, len(p.Rows))
	}
	rows, fn := m.rows[:len(p.Rows)], m.fn
	for i := range p.Rows {
		row, err := fn(p.Rows[i])
		if err != nil {
			return m.st.Fail(err)
		}
		rows[i] = row
	}
	return handOn(ctx, p, rows, m.out)
}

func (m *mapping[A, B]) Done(ctx context.Context, stopped bool) error {
	return m.out.Done(ctx, stopped)
}
