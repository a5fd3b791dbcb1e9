package source

import (
	"context"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
)

// part is a piece of a source that is read page by page: a token range, or a
// whole query.
type part struct {
	index int
	name  string // for errors, without values
	st    driver.Statement
}

// paged reads parts. One is made a worker; it belongs to one goroutine.
type paged[T any] struct {
	session *driver.Session
	stage   *rxcql.Stage
	sizing  *sizing
	reader  rowReader[T]
	buffers buffers[T]
}

// fetched is a page on its way, with the slice that its rows are in.
type fetched[T any] struct {
	rxcql.Page[T]
	rows     []T
	received int64

	part string
	bad  []undecoded // rows that are not in rows
}

// buffers are the row slices that wait for their next page: as many as there are
// pages between fetching and delivery. A sync.Pool would lose them to every
// garbage collection, which was a fifth of what a scan allocated.
type buffers[T any] chan []T

func (b buffers[T]) get() []T {
	select {
	case rows := <-b:
		return rows[:0]
	default:
		return nil
	}
}

// put clears the rows, so that nothing they refer to stays in memory.
func (b buffers[T]) put(rows []T) {
	clear(rows)
	select {
	case b <- rows:
	default:
	}
}

// read reads a part from its first page to its last. Every page goes to send,
// empty ones included; the last one has Position.Last set. limit is asked before
// every page how many rows can still be used, 0 for all.
//
// Only a page state of length 0 ends a part: an empty page in the middle goes on.
func (r *paged[T]) read(ctx context.Context, p part, limit func() int64, send func(*fetched[T]) error) error {
	var state []byte
	for n := int64(0); ; n++ {
		page, next, err := r.page(ctx, p, rxcql.Position{Range: p.index, Page: n}, state, limit())
		if err != nil {
			return err
		}
		if err := send(page); err != nil {
			page.Release() // it may not have been delivered
			return err
		}
		if next == nil {
			return nil
		}
		state = next
	}
}

// page fetches and decodes one page.
func (r *paged[T]) page(ctx context.Context, p part, at rxcql.Position, state []byte, limit int64) (*fetched[T], []byte, error) {
	rows := r.sizing.rows(at.Page == 0, limit)
	lease, err := r.stage.Input().Reserve(ctx, r.sizing.estimate(rows))
	if err != nil {
		return nil, nil, err
	}
	fail := func(err error) error {
		lease.Release()
		if ctx.Err() != nil && driver.Classify(err) == driver.Cancelled {
			return context.Cause(ctx)
		}
		return r.stage.Fail(&rxcql.RowError{Range: p.name, Page: at.Page, Row: -1, Err: err})
	}
	got, err := r.session.Fetch(ctx, p.st, rows, state)
	for err != nil && driver.Classify(err) == driver.FrameTooBig && r.sizing.tooBig(rows) {
		rows = r.sizing.rows(false, limit)
		r.stage.Retried(err)
		got, err = r.session.Fetch(ctx, p.st, rows, state)
	}
	if err != nil {
		return nil, nil, fail(err)
	}
	decoded, bad, size, err := r.reader.read(got, r.buffers.get())
	if err != nil {
		return nil, nil, fail(err)
	}
	next := got.Next()
	at.Last = next == nil
	received := int64(got.Bytes())
	r.sizing.saw(len(decoded)+len(bad), received+size)
	lease.Correct(received + size)
	lease.Position = at
	return &fetched[T]{
		Page: rxcql.Page[T]{Rows: decoded, Lease: lease}, rows: decoded, received: received, part: p.name, bad: bad,
	}, next, nil
}

// deliver hands a page downstream and takes its slice back. It is here that a
// page counts as read and gets its receipt: pages that were fetched ahead when
// the stream ended are none of its business any more.
func (r *paged[T]) deliver(ctx context.Context, out rxcql.Observer[T], page *fetched[T]) error {
	last := page.Last
	page.Owe(r.stage.Receipt())
	r.stage.PageRead(len(page.Rows), page.received)
	err := r.reporting(out, page).Next(ctx, &page.Page)
	page.Finish(err)
	r.buffers.put(page.rows)
	if err == nil && last {
		r.stage.RangeDone()
	}
	return err
}
