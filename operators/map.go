package operators

import (
	"context"

	"github.com/rxcql/rxcql"
)

// Map hands on what fn makes of every row.
//
// One row out for each row in, in order, a page at a time. It holds nothing and
// is resumable. An error of fn is that row's (rxcql.WithRowErrors): by default it
// ends the stream, else the row is left out.
func Map[A, B any](in rxcql.Stream[A], fn func(A) (B, error)) rxcql.Stream[B] {
	info := rxcql.StageInfo{Name: "Map", OneToOne: true, Err: required("the function", fn == nil)}
	return rxcql.Lift(in, info, func(st *rxcql.Stage, out rxcql.Observer[B]) rxcql.Observer[A] {
		return &mapping[A, B]{st: st, out: out, fn: fn}
	})
}

// block is how many rows are mapped between two looks at the context.
const block = 64

type mapping[A, B any] struct {
	st   *rxcql.Stage
	out  rxcql.Observer[B]
	fn   func(A) (B, error)
	rows []B // reused from page to page

	folds bool // fn keeps a state: an error of it is more than a row's
}

func (m *mapping[A, B]) Next(ctx context.Context, p *rxcql.Page[A]) error {
	if cap(m.rows) < len(p.Rows) {
		m.rows = make([]B, len(p.Rows))
	}
	rows := m.rows[:len(p.Rows)] // gets shorter by rows that fail
	for done, kept := 0, 0; done < len(p.Rows); {
		if err := left(ctx, m.st, len(rows)); err != nil { // fn may be slow, and a page has up to 10,000 rows
			return err
		}
		end := min(done+block, len(p.Rows))
		var n int
		var err error
		if m.st.LeavesOut() {
			n, err = mapEach(p.Rows[done:end], rows[kept:], 0, m.fn)
		} else {
			n, err = mapRows(p.Rows[done:end], rows[done:end], m.fn)
		}
		done, kept = done+n, kept+n
		if err == nil {
			continue
		}
		if m.folds {
			return m.st.Fail(err)
		}
		if err := failed(ctx, m.st, p, done, err); err != nil {
			return err
		}
		done, rows = done+1, rows[:len(rows)-1]
	}
	return handOn(ctx, p, rows, m.out)
}

func (m *mapping[A, B]) Done(ctx context.Context, stopped bool) error {
	return m.out.Done(ctx, stopped)
}

// mapRows stores what fn makes of in[i] in out[i]. It goes four rows at a time: a
// result of more than four words comes back through the stack, and copying it on
// has to wait until it is there; three calls in between are time enough. That
// takes a quarter off what three operators cost a row of 40 bytes. It returns at
// which row fn failed; out is of no use then.
func mapRows[A, B any](in []A, out []B, fn func(A) (B, error)) (int, error) {
	i := 0
	for ; i+4 <= len(in); i += 4 {
		a, err := fn(in[i])
		if err != nil {
			return i, err
		}
		b, err := fn(in[i+1])
		if err != nil {
			return i + 1, err
		}
		c, err := fn(in[i+2])
		if err != nil {
			return i + 2, err
		}
		d, err := fn(in[i+3])
		if err != nil {
			return i + 3, err
		}
		out[i] = a
		out[i+1] = b
		out[i+2] = c
		out[i+3] = d
	}
	return mapEach(in, out, i, fn)
}

// mapEach is mapRows from row i on, where rows that fail are left out: out has
// what came before. Keeping that in mapRows cost a tenth of it.
func mapEach[A, B any](in []A, out []B, i int, fn func(A) (B, error)) (int, error) {
	for ; i < len(in); i++ {
		row, err := fn(in[i])
		if err != nil {
			return i, err
		}
		out[i] = row
	}
	return i, nil
}
