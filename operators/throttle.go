package operators

import (
	"context"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// Throttle hands rows on no faster than a limit in rows a second, in bytes a second (of rows as
// they are in memory), or in both. The limit can be changed while it runs, and shared with other
// stages and runs; see rxcql.Rate. Requests are held back by source.Throttle and sink.Throttle
// instead.
//
//	limit := rxcql.NewRate(rxcql.RowsPerSecond(1000), rxcql.BytesPerSecond(1<<20))
//	slow := operators.Throttle(rows, limit)
//	…
//	err := limit.SetRowsPerSecond(5000) // from now on
//
// Order is kept. Each row goes on when its turn comes: a page that is larger than what may go at
// once goes on in pieces, each in time, and not as a whole when all of it is due. Above 100 rows a
// second a piece has the rows of 10 ms at least.
//
// It runs in the goroutine that brings the page, and holds nothing from page to page: rows wait in
// their page, and upstream waits with them. To the budget a page that waits so is one on its way,
// so no source is told that nothing moves. A page is settled when its last row is, so a save of a
// job waits for a page that has begun where a sink is a file; with a slow limit give the source
// smaller pages (source.PageRows).
//
// A cancel ends the wait at once. After Pipeline.Stop rows that have been read go on without
// waiting. It is resumable.
func Throttle[T any](in rxcql.Stream[T], limit *rxcql.Rate) rxcql.Stream[T] {
	info := rxcql.StageInfo{Name: "Throttle", OneToOne: true, Err: limit.LimitsRows()}
	return rxcql.Lift(in, info, func(st *rxcql.Stage, out flow.Observer[T]) flow.Observer[T] {
		t := &throttling[T]{st: st, out: out, limit: limit}
		if limit.LimitsBytes() {
			t.size = rxcql.SizeFunc[T]()
		}
		return t
	})
}

type throttling[T any] struct {
	st    *rxcql.Stage
	out   flow.Observer[T]
	limit *rxcql.Rate
	size  func(*T) int // nil unless there is a limit of bytes

	due    int64 // bytes of the rows that may go on by their number, and have not gone
	credit int64 // bytes that may go on, and no row has used
}

func (t *throttling[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	if len(p.Rows) == 0 {
		return t.out.Next(ctx, p)
	}
	rows, said := p.Rows, p.Advance()
	defer func() {
		p.Rows = rows
		p.Say(said)
	}()
	for gone, due := 0, 0; gone < len(rows); {
		if gone == due {
			n, err := t.limit.AwaitRows(ctx, t.st, len(rows)-gone)
			if err != nil {
				return t.ended(err, len(rows)-gone)
			}
			due += n
			t.measure(rows[gone:due])
		}
		n, err := t.awaitBytes(ctx, rows[gone:due])
		if err != nil {
			return t.ended(err, len(rows)-gone)
		}
		t.piece(p, rows, said, gone, gone+n)
		gone += n
		if err := t.out.Next(ctx, p); err != nil {
			return t.ended(err, len(rows)-gone)
		}
	}
	return nil
}

// piece makes of p the piece with the rows from..to. What the page says comes with the last.
func (t *throttling[T]) piece(p *flow.Page[T], rows []T, said flow.Advance, from, to int) {
	p.Rows = rows[from:to:to]
	if p.Say(said); to < len(rows) {
		p.Hush()
	}
	p.Position = p.From(from)
}

// ended returns the error that ends the stream while so many rows have not gone on. They are
// dropped on purpose if an operator downstream has ended it.
func (t *throttling[T]) ended(err error, rows int) error {
	if flow.IsEnd(err) {
		t.st.CountDropped(rows)
	}
	return err
}

func (t *throttling[T]) measure(rows []T) {
	if t.size == nil {
		return
	}
	for i := range rows {
		t.due += int64(t.size(&rows[i]))
	}
}

// awaitBytes waits until the first rows may go on by their bytes, and returns how many, at least
// one.
func (t *throttling[T]) awaitBytes(ctx context.Context, rows []T) (n int, err error) {
	if t.size == nil {
		return len(rows), nil
	}
	for first := int64(t.size(&rows[0])); t.credit < first; {
		got, err := t.limit.AwaitBytes(ctx, t.st, t.due-t.credit)
		if err != nil {
			return 0, err
		}
		t.credit += got
	}
	for n < len(rows) {
		bytes := int64(t.size(&rows[n]))
		if t.credit < bytes {
			break
		}
		t.credit, t.due = t.credit-bytes, t.due-bytes
		n++
	}
	return n, nil
}

func (t *throttling[T]) Done(ctx context.Context, stopped bool) error {
	return t.out.Done(ctx, stopped)
}
