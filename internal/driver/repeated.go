package driver

import (
	"context"
	"reflect"
	"sync"

	"github.com/gocql/gocql"
)

// Repeated sends one statement after the other, and keeps what it made for the last
// one for the next, if that has the same text. A request for one row is small: making
// gocql's query with its counters, its binder and its copy with a context cost a fifth
// of all that a single insert allocates. The zero value is ready. It is used by one
// goroutine at a time.
//
// The session's own consistency, tracer and the like are those of the first time.
type Repeated struct {
	query  *gocql.Query // nil if there is none that may be used again
	binder binder       // with the session and the context of the query
	of     kind
	page   *Page // the last one, of pages; nil if it was forgotten
}

// kind is what a query keeps of its statement, for all values.
type kind struct {
	cql                      string
	consistency              *gocql.Consistency
	columnsKnown, idempotent bool
}

// pages are Pages to be used again. Thousands of requests may be on their way, and few have an
// answer at the same time.
var pages = sync.Pool{New: func() any { return new(Page) }}

// Exec is Session.Exec.
func (r *Repeated) Exec(ctx context.Context, s *Session, st *Statement) error {
	if s.observed || st.SerialConsistency != nil || st.Timestamp != nil {
		return s.Exec(ctx, *st)
	}
	if err := r.bind(ctx, s, st); err != nil {
		return err
	}
	if err := r.exec(ctx); err != nil {
		r.query = nil // who knows what a panic, say, has left there
		return withhold(err, st.Args)
	}
	r.unbind()
	return nil
}

// exec is guard around the query, with fewer calls: see sink's workers.
func (r *Repeated) exec(ctx context.Context) (err error) {
	if ctx.Err() != nil {
		return cancelled(ctx, ctx.Err())
	}
	defer recovered(r.binder.sending, &err)
	return translate(ctx, r.query.Exec())
}

// Fetch is Session.Fetch. The page stays valid until the next call of Aim or Forget.
func (r *Repeated) Fetch(ctx context.Context, s *Session, st *Statement, pageSize int, state []byte) (*Page, error) {
	if err := r.Aim(ctx, s, st, pageSize, state); err != nil {
		return nil, err
	}
	return r.Send()
}

// Aim is the first half of Fetch: it makes the request. Send is the other one.
func (r *Repeated) Aim(ctx context.Context, s *Session, st *Statement, pageSize int, state []byte) error {
	r.Forget()
	switch {
	case pageSize < 1:
		return ErrPageSize
	case ctx.Err() != nil:
		return cancelled(ctx, ctx.Err())
	case s.observed || st.SerialConsistency != nil || st.Timestamp != nil:
		r.query = nil // it needs one of its own
	}
	if err := r.bind(ctx, s, st); err != nil {
		return err
	}
	if r.query.PageSize(pageSize).PageState(state); !st.ColumnsKnown {
		r.query.NoSkipMetadata() // as in fetch
	}
	return nil
}

// Send sends what Aim has made, and waits for the page. Thousands of goroutines may wait in it. So
// what needs much of a stack is done in functions that are called before the wait or after it.
func (r *Repeated) Send() (page *Page, err error) {
	defer r.sent(&page, &err)
	return r.open(r.query.Iter())
}

// open makes a page of an answer.
//
//go:noinline
func (r *Repeated) open(iter *gocql.Iter) (*Page, error) {
	r.page, _ = pages.Get().(*Page)
	r.page.iter = iter
	return r.page, translate(r.binder.ctx, r.page.open(r.binder.session, r.of.cql, r.of.columnsKnown))
}

// sent is deferred: it makes an error of a panic, as recovered does.
func (r *Repeated) sent(page **Page, err *error) {
	if p := recover(); p != nil {
		*err = panickedIn(p, r.binder.sending)
	}
	if *err == nil {
		r.unbind()
		return
	}
	r.query, *page, *err = nil, nil, withhold(*err, r.binder.args)
}

// Forget lets go of the last page, which may be large.
func (r *Repeated) Forget() {
	if r.page == nil {
		return
	}
	dest := r.page.dest
	clear(dest)
	*r.page = Page{dest: dest[:0]}
	pages.Put(r.page)
	r.page = nil
}

// unbind lets go of the values, which belong to the caller and may be large.
func (r *Repeated) unbind() {
	r.query.Bind().RoutingKey(nil)
	r.binder.args = nil
}

func (r *Repeated) bind(ctx context.Context, s *Session, st *Statement) error {
	of := kind{cql: st.CQL, consistency: st.Consistency, columnsKnown: st.ColumnsKnown, idempotent: st.Idempotent}
	if r.query == nil || r.binder.session != s || r.binder.ctx != ctx || r.of != of {
		q, err := s.query(ctx, *st, &r.binder)
		if err != nil {
			return err
		}
		r.query, r.of = q.WithContext(ctx), of
		return nil
	}
	args, err := s.bindable(ctx, st)
	if err != nil {
		return err
	}
	r.binder = binder{session: s, ctx: ctx, encoding: st.Encoding, args: args}
	r.query.Bind(args...).RoutingKey(st.PartitionKey) // gocql knows the keyspace from the last time
	return nil
}

// observed reports whether the session has an observer of queries. It is told which
// attempt of its query a request is, and how long all of them took, which gocql counts
// in the query; so with an observer each request has a query of its own. gocql has
// nothing that says so but the field.
func observed(s *gocql.Session) bool {
	q := s.Query("")
	defer q.Release()
	observer := reflect.ValueOf(q).Elem().FieldByName("observer")
	return !observer.IsValid() || observer.Kind() != reflect.Interface || !observer.IsNil()
}
