package operators

import (
	"context"

	"github.com/rxcql/rxcql"
)

// FlatMap makes any number of rows of each row: fn calls emit with every one.
// emit returns false when no more rows are wanted; fn should then return. It
// must not be called after fn has returned, nor by another goroutine. An
// iter.Seq can be given emit as it is:
//
//	operators.FlatMap(lines, func(line string, emit func(string) bool) error {
//		strings.FieldsSeq(line)(emit)
//		return nil
//	})
//
// Order is kept. Rows go on when the page has been worked through, or earlier,
// when they come to more than 512 (or the rows of the page, if that is more) or
// to 1 MiB: a row that becomes a million does not become one page. It holds
// nothing beyond that and is resumable. An error of fn ends the stream.
func FlatMap[A, B any](in rxcql.Stream[A], fn func(row A, emit func(B) bool) error) rxcql.Stream[B] {
	info := rxcql.StageInfo{Name: "FlatMap", Err: required("the function", fn == nil)}
	return rxcql.Lift(in, info, func(st *rxcql.Stage, out rxcql.Observer[B]) rxcql.Observer[A] {
		return &flattening[A, B]{st: st, out: out, fn: fn, size: rxcql.SizeOf[B]()}
	})
}

type flattening[A, B any] struct {
	st   *rxcql.Stage
	out  rxcql.Observer[B]
	fn   func(A, func(B) bool) error
	size func(*B) int
	rows []B // reused from page to page
}

func (f *flattening[A, B]) Next(ctx context.Context, p *rxcql.Page[A]) error {
	most, bytes := max(pageRows, len(p.Rows)), 0
	last := p.Last
	var refused error // downstream wants no more
	f.rows = f.rows[:0]
	emit := func(row B) bool {
		if refused != nil {
			return false
		}
		f.rows = append(f.rows, row)
		bytes += f.size(&f.rows[len(f.rows)-1])
		if len(f.rows) < most && int64(bytes) < rxcql.DefaultPageBytes {
			return true
		}
		p.Last = false // more of the page follows
		refused = handOn(ctx, p, f.rows, f.out)
		p.Last = last
		f.rows, bytes = f.rows[:0], 0
		return refused == nil
	}
	for i := range p.Rows {
		err := f.fn(p.Rows[i], emit)
		if refused != nil {
			return refused
		}
		if err != nil {
			return f.st.Fail(err)
		}
	}
	return handOn(ctx, p, f.rows, f.out)
}

func (f *flattening[A, B]) Done(ctx context.Context, stopped bool) error {
	return f.out.Done(ctx, stopped)
}
