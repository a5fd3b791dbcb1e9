package source

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/rows"
	"github.com/rxcql/rxcql/internal/schema"
)

// part is a piece of a source that is read page by page: a token range, or a
// whole query.
type part struct {
	index int
	name  string // for errors, without values
	span  flow.TokenRange
	track *flow.Track // nil unless an earlier run began the part
	st    driver.Statement
	limit bool   // st may have a LIMIT
	whole bool   // st must not be paged
	more  func() // called before each page except the first one read; may be nil
}

// paged reads the pages of statements. It belongs to one goroutine.
type paged[T any] struct {
	session *driver.Session
	table   *schema.Table
	stage   *rxcql.Stage
	sizing  *sizing
	reader  rows.Reader[T]
	buffers buffers[T]
	whole   bool        // the part is read as one page
	rate    *rxcql.Rate // of requests; nil for no limit
	askedAt time.Time   // when the last request was sent
	cuts    bool        // of a page that may be read in pieces the error is a notReadError
	hasty   bool        // such a page is not asked for again

	about   rxcql.FetchEvent // what hooks are told of all requests
	attempt rxcql.FetchEvent // of the last request, while it has not ended
	end     func(rxcql.FetchEvent)
}

// newPaged returns what makes the reader of each worker.
func newPaged[T any](session *driver.Session, cfg readConfig, table *schema.Table) func(*rxcql.Stage, buffers[T]) partReader[T] {
	return func(st *rxcql.Stage, buffers buffers[T]) partReader[T] {
		r := &paged[T]{
			session: session, table: table, stage: st, buffers: buffers, about: fetchOf(session, cfg, table), rate: cfg.rate,
			sizing: newSizing(st.Input(), cfg.maxRows),
		}
		r.reader = readerOf[T](cfg, &r.askedAt)
		return r
	}
}

// fetched is a page on its way, with the slice that its rows are in.
type fetched[T any] struct {
	flow.Page[T]
	rows     []T
	received int64
	track    *flow.Track
	asked    int         // rows that were asked for
	next     []byte      // page state of the next page; nil if there is none
	bad      []undecoded // rows that could not be decoded
	had      int64       // rows of the part up to this page, earlier runs included
	passed   bool        // all is handed on that an earlier run had read, see flow.Track.PassedRead
}

// buffers holds row slices for later pages: as many as there are pages between fetching and
// delivery. A sync.Pool would lose them to every garbage collection, which was a fifth of what a
// scan allocated.
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

// read reads a part, see partReader. Only a page state of length 0 ends it: after an empty page in
// the middle it goes on.
func (r *paged[T]) read(ctx context.Context, p part, limit func() int64, send func(*fetched[T]) error) error {
	track := p.track
	if track == nil {
		track = r.stage.Track(p.span)
	}
	n, state := track.From()
	r.whole = p.whole
	here := driver.Place{State: state, Rows: track.Rows()}
	for ; ; n++ {
		if err := track.AwaitRoom(ctx); err != nil {
			return err
		}
		most := limit()
		if own := here.Most(); p.limit && own > 0 && (most == 0 || own < most) {
			most = own
		}
		page, err := r.page(ctx, p, flow.Position{Range: p.index, Page: n}, here.State, most)
		if err != nil {
			return err
		}
		page.track = track
		page.had = here.Rows + int64(len(page.rows)+len(page.bad))
		here.After(len(page.rows)+len(page.bad), page.asked, page.next)
		if err := send(page); err != nil {
			page.Release() // it may not have been delivered
			return err
		}
		if here.State == nil {
			return nil
		}
		if p.more != nil {
			p.more()
		}
	}
}

// page fetches and decodes one page of at most so many rows, 0 for any number.
func (r *paged[T]) page(ctx context.Context, p part, at flow.Position, state []byte, most int64) (*fetched[T], error) {
	reservation, err := r.stage.Input().Reserve(ctx, r.sizing.estimate(r.sizing.rows(at.Page == 0, most)))
	if err != nil {
		return nil, err
	}
	fail := func(err error) error {
		err = r.failed(ctx, &rxcql.RowError{Range: p.name, Page: at.Page, Row: -1, Err: err})
		reservation.Finish(err) // a worker that waits for room must not report an error of its own first
		return err
	}
	got, err := r.fetch(ctx, p, at.Page, state, most)
	if err != nil && r.cuts && ctx.Err() == nil && mayBeCut(err) {
		reservation.Release()
		return nil, &notReadError{err}
	}
	if err != nil {
		return nil, fail(err)
	}
	asked := r.sizing.asked
	decoded, bad, size, err := r.decode(got)
	if err != nil {
		return nil, fail(err)
	}
	next := got.Next()
	at.Last = next == nil
	received := int64(got.Bytes())
	r.sizing.saw(len(decoded)+len(bad), received+size)
	reservation.Resize(received + size)
	if budget := r.stage.Input().Limit(); r.whole && received+size > budget {
		return nil, fail(tooLargeWhole(received+size, budget))
	}
	reservation.Position = at
	return &fetched[T]{
		Page: flow.Page[T]{Rows: decoded, Reservation: reservation}, rows: decoded, received: received, asked: asked, next: next, bad: bad,
	}, nil
}

// failed returns the stage's error, or the cause of ctx if that is the only reason.
func (r *paged[T]) failed(ctx context.Context, err error) error {
	if ctx.Err() != nil && (driver.Classify(err) == driver.Cancelled || errors.Is(err, context.Cause(ctx))) {
		return context.Cause(ctx)
	}
	if ctx.Err() == nil && driver.MayBeOfDroppedTable(err) {
		now := schema.Unchanged(ctx, r.session, r.table) // once: the request has had its retries
		if driver.Classify(now) == driver.SchemaChanged {
			err = fmt.Errorf("%w: %w: %w", rxcql.ErrSchema, now, err)
		}
	}
	return r.stage.Fail(err)
}
