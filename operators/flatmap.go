package operators

import (
	"context"
	"unsafe"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/codec"
)

// FlatMap makes any number of rows of each row: fn calls emit with each of them. If emit returns
// false no more rows are wanted, and fn should return. Call emit neither after fn has returned nor
// from another goroutine. emit can be passed to an iter.Seq as it is:
//
//	operators.FlatMap(lines, func(line string, emit func(string) bool) error {
//		strings.FieldsSeq(line)(emit)
//		return nil
//	})
//
// Order is kept. Rows go on when the page has been worked through. They go on earlier if they
// exceed 512 rows (or the number of rows in the page, if that is larger) or 1 MiB: so a row that
// becomes a million does not become one page. It holds nothing else and is resumable; in a job fn
// must keep no state from row to row (see Map).
//
// An error of fn belongs to its row (rxcql.WithRowErrors). By default it ends the stream; else the
// row is left out with all that fn has emitted for it, except full pages that have gone on already.
func FlatMap[A, B any](in rxcql.Stream[A], fn func(row A, emit func(B) bool) error) rxcql.Stream[B] {
	info := rxcql.StageInfo{Name: "FlatMap", Err: required("the function", fn == nil)}
	return rxcql.Lift(in, info, func(st *rxcql.Stage, out flow.Observer[B]) flow.Observer[A] {
		f := &flattening[A, B]{st: st, out: out, fn: fn, size: rxcql.SizeFunc[B]()}
		f.emit = func(row B) bool {
			f.rows = append(f.rows, row)
			f.room -= f.size(&f.rows[len(f.rows)-1])
			return len(f.rows) < f.most && f.room > 0 || f.full()
		}
		if text, is := codec.OnlyText[B](); is { // as most rows are: no function is called for their size
			f.emit = func(row B) bool {
				f.room -= int(unsafe.Sizeof(row)) + len(*(*string)(unsafe.Add(unsafe.Pointer(&row), text)))
				more := len(f.rows)+1 < f.most && f.room > 0
				f.rows = append(f.rows, row) // last: a processor waits for what it has just stored in pieces
				return more || f.full()
			}
		}
		return f
	})
}

// flattening is one run of FlatMap. What it knows of a page is in fields and not in variables of
// Next: emit would move these to the heap, anew for each page.
type flattening[A, B any] struct {
	st   *rxcql.Stage
	out  flow.Observer[B]
	fn   func(A, func(B) bool) error
	emit func(B) bool
	size func(*B) int
	rows []B // reused from page to page

	ctx     context.Context // of the page that is worked through
	page    *flow.Page[A]
	most    int   // rows at which they go on
	room    int   // for so many bytes more
	whole   int   // how many of rows come from rows that fn has returned from
	refused error // downstream wants no more
}

func (f *flattening[A, B]) Next(ctx context.Context, p *flow.Page[A]) error {
	f.ctx, f.page = ctx, p
	f.most, f.room, f.whole, f.refused = max(flow.DefaultPageRows, len(p.Rows)), int(flow.DefaultPageBytes), 0, nil
	f.rows = f.rows[:0]
	for i := range p.Rows {
		err := f.fn(p.Rows[i], f.emit)
		if f.refused != nil {
			return f.refused
		}
		if err != nil {
			if err := failed(ctx, f.st, p, i, err); err != nil {
				return err
			}
			f.room += f.sizeFrom(f.whole)
			clear(f.rows[f.whole:])
			f.rows = f.rows[:f.whole]
		}
		f.whole = len(f.rows)
	}
	return handOn(ctx, p, f.rows, f.out)
}

// full hands on the rows that have filled a page, and reports whether more are wanted.
func (f *flattening[A, B]) full() bool {
	if f.refused != nil { // fn goes on all the same
		f.rows = f.rows[:0]
		return false
	}
	if f.refused = f.handOnFull(f.ctx, f.page, f.whole); f.refused != nil { // what else is emitted is full at once
		f.most = 0
	}
	f.whole, f.room = 0, int(flow.DefaultPageBytes)-f.sizeFrom(0)
	return f.refused == nil
}

// handOnFull hands on rows before the page has been worked through: those that are whole, or, if
// one row alone fills a page, what there is of that.
func (f *flattening[A, B]) handOnFull(ctx context.Context, p *flow.Page[A], whole int) error {
	if whole == 0 {
		whole = len(f.rows)
	}
	said := p.Hush() // more of the page follows
	err := handOn(ctx, p, f.rows[:whole], f.out)
	p.Say(said)
	rest := copy(f.rows, f.rows[whole:])
	clear(f.rows[rest:])
	f.rows = f.rows[:rest]
	return err
}

// sizeFrom returns the size of the rows from index row on.
func (f *flattening[A, B]) sizeFrom(row int) (bytes int) {
	for i := row; i < len(f.rows); i++ {
		bytes += f.size(&f.rows[i])
	}
	return bytes
}

func (f *flattening[A, B]) Done(ctx context.Context, stopped bool) error {
	return f.out.Done(ctx, stopped)
}
