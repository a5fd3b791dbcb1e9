package operators

import (
	"context"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// Map hands on what fn makes of every row: one row out for each row in, in order, a page at a time.
// It holds nothing and is resumable.
//
// In a job with a checkpoint fn must keep no state from row to row (a counter, the row before, keys
// seen so far): a later run begins in the middle of the rows, with fn in its initial state, and
// sees some rows again.
//
// An error of fn belongs to its row (rxcql.WithRowErrors): by default it ends the stream, else the
// row is left out.
func Map[A, B any](in rxcql.Stream[A], fn func(A) (B, error)) rxcql.Stream[B] {
	info := rxcql.StageInfo{Name: "Map", OneToOne: true, Err: required("the function", fn == nil)}
	return rxcql.Lift(in, info, func(st *rxcql.Stage, out flow.Observer[B]) flow.Observer[A] {
		return &mapping[A, B]{st: st, out: out, fn: fn}
	})
}

// block is how many rows are mapped between two checks of the context.
const block = 64

type mapping[A, B any] struct {
	st   *rxcql.Stage
	out  flow.Observer[B]
	fn   func(A) (B, error)
	rows []B // reused from page to page

	folds bool // fn keeps a state, so its error does not concern one row alone
}

func (m *mapping[A, B]) Next(ctx context.Context, p *flow.Page[A]) error {
	if cap(m.rows) < len(p.Rows) {
		m.rows = make([]B, len(p.Rows))
	}
	rows := m.rows[:len(p.Rows)] // becomes shorter by rows that fail
	for done, kept := 0, 0; done < len(p.Rows); {
		if err := left(ctx, m.st, len(rows)); err != nil { // fn may be slow, and a page has up to 10,000 rows
			return err
		}
		end := min(done+block, len(p.Rows))
		var n int
		var err error
		if m.st.SkipsFailed() {
			n, err = mapEach(p.Rows[done:end], rows[kept:], 0, m.fn)
		} else {
			n, err = mapRows(p.Rows[done:end], rows[done:end], m.fn)
		}
		done, kept = done+n, kept+n
		if err == nil {
			continue
		}
		if m.folds {
			return m.st.FailUserFunc(err, p.Rows[done])
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

// mapRows stores what fn makes of in[i] in out[i], which has room for all. It returns the index of
// the row at which fn failed; out is then of no use.
func mapRows[A, B any](in []A, out []B, fn func(A) (B, error)) (int, error) {
	i := 0
	for ; i+8 <= len(in); i += 8 {
		if n, err := mapEight((*[8]A)(in[i:]), (*[8]B)(out[i:]), fn); err != nil {
			return i + n, err
		}
	}
	return mapEach(in, out, i, fn)
}

// mapEight is mapRows for eight rows. A result of more than four words is put together in memory
// and copied from there. The compiler makes one such copy if the destination is sure to exist, as
// in an array, and the error is a named result; otherwise it makes two. The second copy is a third
// of what Map costs for a row of 40 to 80 bytes.
func mapEight[A, B any](in *[8]A, out *[8]B, fn func(A) (B, error)) (n int, err error) {
	if out[0], err = fn(in[0]); err != nil {
		return 0, err
	}
	if out[1], err = fn(in[1]); err != nil {
		return 1, err
	}
	if out[2], err = fn(in[2]); err != nil {
		return 2, err
	}
	if out[3], err = fn(in[3]); err != nil {
		return 3, err
	}
	if out[4], err = fn(in[4]); err != nil {
		return 4, err
	}
	if out[5], err = fn(in[5]); err != nil {
		return 5, err
	}
	if out[6], err = fn(in[6]); err != nil {
		return 6, err
	}
	if out[7], err = fn(in[7]); err != nil {
		return 7, err
	}
	return 8, nil
}

// mapEach is mapRows from row i on, and leaves out rows that fail: out has what came before. Doing
// that in mapRows would cost a tenth of it.
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
