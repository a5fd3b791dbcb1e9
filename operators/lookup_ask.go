package operators

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/limiter"
)

// asker asks the server what there is for a row. Many goroutines use it.
type asker[V any] struct {
	st      *rxcql.Stage
	session *driver.Session
	cfg     *lookupConfig
	aim     *lookupAim
	limiter *limiter.Limiter
	about   rxcql.FetchEvent // what hooks are told of all requests
	limited bool             // the statement may have a LIMIT
	first   int64            // rows of the first page
	whole   atomic.Bool      // the statement must not be paged
	readers sync.Pool        // of *answerReader
}

func newAsker[V any](st *rxcql.Stage, ses *driver.Session, cfg *lookupConfig, aim *lookupAim) *asker[V] {
	a := &asker[V]{
		st: st, session: ses, cfg: cfg, aim: aim, limiter: limiter.New(cfg.inFlight, st.Run().Log(), st.LimitChanged),
		about:   rxcql.FetchEvent{Keyspace: aim.Table.Keyspace, Table: aim.Table.Name, Consistency: ses.Consistency(cfg.consistency)},
		limited: driver.MayLimit(aim.cql), first: rowsOfOne,
	}
	switch {
	case mayFold(aim.cql):
		a.first = foldedRows
	case cfg.all > 0:
		a.first = firstRows
	}
	a.whole.Store(aim.Whole(aim.cql))
	return a
}

// Thousands of look-ups wait in attempt for the server at once, each with a stack of its own, which
// doubles when it is full and which each garbage collection reads. So a goroutine looks up in three
// steps (begin, attempt, finish), and only the second, with few calls and small frames, is on its
// stack while it waits.

// begin begins a look-up by values. The memory that r has of the one before is used again.
func (a *asker[V]) begin(r *answering, values []driver.Value) {
	r.place, r.bytes, r.page, r.attempt, r.end = driver.Place{}, 0, 0, 0, nil
	r.st.CQL, r.st.ColumnsKnown, r.st.Encoding = a.aim.text, a.aim.known, a.aim.encoding
	r.st.Args, r.st.PartitionKey = driver.Bind(r.st.Args[:0], values), a.aim.partition(values)
	r.st.Consistency, r.st.Idempotent = a.cfg.consistency, true
}

// finish makes of the first attempt what there is for the row, with more attempts and more pages if
// there have to be any. Stage.RowFailed knows of an error whether it is the row's.
func (a *asker[V]) finish(ctx context.Context, r *answering, page *driver.Page, err error) (found Found[V], _ error) {
	defer r.forget()
	for {
		if err != nil {
			if page, err = a.again(ctx, r, err); err != nil {
				return found, err
			}
		}
		if err := a.decode(page, r, &found); err != nil {
			return found, err
		}
		if r.place.After(page.Rows(), r.asked, page.Next()); r.place.State == nil {
			found.Rows = slices.Clip(found.Rows) // rows share it: what one appends must not be another's
			return found, nil
		}
		r.page++
		r.attempt = 0
		page, err = a.attempt(ctx, r)
	}
}

// answering is how far a look-up is. Its goroutine uses it again for the next one.
type answering struct {
	sender  driver.Repeated
	st      driver.Statement
	place   driver.Place
	bytes   int64                     // of all rows so far, received and decoded
	page    int64                     // number of the page, from 0
	attempt int                       // of this page, from 1
	asked   int                       // rows of the last request at most, 0 for all
	tells   bool                      // told sends it
	ticket  uint64                    // of the limiter
	end     func(*driver.Page, error) // tells hooks of the end of the last request; nil if there are none
}

// forget lets go of the bound values and of the answer.
func (r *answering) forget() {
	clear(r.st.Args)
	r.st.PartitionKey = nil
	r.sender.Forget()
}

const (
	rowsOfOne  = 2 // the second tells that there is more than one
	firstRows  = 100
	foldedRows = 1000
	mostRows   = 10_000
)

// mayFold reports whether a statement may make one row of many, as count(*) and GROUP BY do. For
// that Cassandra reads them in pages of the size that is asked for, and with two rows each a
// partition of 100,000 rows would be 50,000 reads. If the statement does something else, an answer
// that has too many rows is larger than it need be.
func mayFold(cql string) bool {
	return strings.Contains(cql, "(") || strings.Contains(strings.ToLower(cql), "group")
}

// rows returns how many the next page is to have: of several about what there is still room for.
func (a *asker[V]) rows(r *answering) int {
	n := a.first
	switch {
	case a.whole.Load():
		return 0
	case a.cfg.all == 0, r.place.Rows == 0:
	default:
		perRow := max(1, r.bytes/r.place.Rows)
		n = max(1, min(mostRows, (int64(a.cfg.all)-r.bytes)/perRow+1))
	}
	if most := r.place.Most(); a.limited && most > 0 {
		n = min(n, most)
	}
	return int(n)
}

// attempt sends once, when the limiter has room and LookupThrottle lets it.
func (a *asker[V]) attempt(ctx context.Context, r *answering) (page *driver.Page, err error) {
	switch err = a.prepare(ctx, r); {
	case err != nil:
		return nil, err
	case r.tells:
		page, err = a.told(ctx, r)
	default:
		page, err = r.sender.Send()
	}
	a.limiter.Leave(r.ticket, err)
	return page, err
}

// prepare waits until the next request may be sent, and makes it, unless told does that.
//
//go:noinline
func (a *asker[V]) prepare(ctx context.Context, r *answering) (err error) {
	if r.ticket, err = a.limiter.Enter(ctx); err != nil {
		return err
	}
	if err := a.cfg.rate.AwaitRequest(ctx, a.st); err != nil {
		a.limiter.Leave(r.ticket, context.Canceled) // whatever the cause is, it is no answer of the server
		return err
	}
	r.attempt++
	r.asked = a.rows(r)
	if r.tells = r.asked == 0 || a.st.Hooked(); r.tells {
		return nil
	}
	if err = r.sender.Aim(ctx, a.session, &r.st, r.asked, r.place.State); err != nil {
		a.limiter.Leave(r.ticket, err)
	}
	return err
}

// told sends and tells hooks. The end of a request that succeeds is told when its answer has been
// decoded.
func (a *asker[V]) told(ctx context.Context, r *answering) (page *driver.Page, err error) {
	e := a.about
	e.Page, e.Attempt, e.PageRows = r.page, r.attempt, r.asked
	ctx, end := a.st.StartFetch(ctx, e)
	start := time.Now()
	if r.asked == 0 {
		page, err = a.session.FetchWhole(ctx, r.st)
	} else {
		page, err = r.sender.Fetch(ctx, a.session, &r.st, r.asked, r.place.State)
	}
	e.Duration = time.Since(start)
	r.end = func(page *driver.Page, err error) {
		if page != nil {
			e.Rows, e.Bytes, e.Host = page.Rows(), int64(page.Bytes()), page.Host()
		}
		e.Err = err
		end(e)
	}
	if err != nil {
		r.answered(nil, err)
	}
	return page, err
}

// again deals with an attempt that failed. It asks again as pages of a source are asked for again.
func (a *asker[V]) again(ctx context.Context, r *answering, failed error) (page *driver.Page, err error) {
	page, err = a.unpaged(ctx, r, nil, failed)
	if err != nil && driver.MayPass(err) {
		err = a.st.Retry(ctx, err, driver.MayPass, func(int) (err error) {
			page, err = a.attempt(ctx, r)
			page, err = a.unpaged(ctx, r, page, err)
			return err
		})
	}
	if err != nil {
		return nil, a.blame(ctx, err)
	}
	return page, nil
}

// unpaged makes one attempt more, with paging off, if the last one failed because the statement
// cannot be paged.
func (a *asker[V]) unpaged(ctx context.Context, r *answering, page *driver.Page, err error) (*driver.Page, error) {
	if err == nil || r.asked == 0 || !driver.CannotBePaged(err) {
		return page, err
	}
	a.whole.Store(true)
	return a.attempt(ctx, r)
}

// answered tells hooks how the last request ended.
func (r *answering) answered(page *driver.Page, err error) {
	if r.end != nil {
		r.end(page, err)
	}
}

// blame checks, after the server has refused a look-up, whether that is due to a table that was
// dropped, or to its values.
func (a *asker[V]) blame(ctx context.Context, err error) error {
	if ctx.Err() == nil && driver.MayBeOfDroppedTable(err) {
		if now := a.aim.encoding.Unchanged(ctx); driver.Classify(now) == driver.SchemaChanged {
			return fmt.Errorf("%w: %w", now, err)
		}
	}
	if !driver.ForTheRow(err) {
		return err
	}
	other := driver.Stands(ctx, err, func(ctx context.Context) error {
		_, err := a.session.Describe(ctx, a.aim.cql)
		return err
	})
	if other != nil {
		return other
	}
	return err
}
