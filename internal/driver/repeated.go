package driver

import (
	"context"
	"reflect"

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
	binder binder
	of     Statement // without Args, Encoding and PartitionKey
	ctx    context.Context
	page   Page // the last one
}

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

// Fetch is Session.Fetch. The page stays valid until the next call of Fetch or Forget.
func (r *Repeated) Fetch(ctx context.Context, s *Session, st *Statement, pageSize int, state []byte) (*Page, error) {
	switch {
	case pageSize < 1:
		return nil, ErrPageSize
	case s.observed || st.SerialConsistency != nil || st.Timestamp != nil:
		return s.fetchAnew(ctx, st, pageSize, state)
	}
	if err := r.bind(ctx, s, st); err != nil {
		return nil, err
	}
	if r.query.PageSize(pageSize).PageState(state); !st.ColumnsKnown {
		r.query.NoSkipMetadata() // as in fetch
	}
	r.Forget()
	if err := r.fetch(ctx, s, st); err != nil {
		r.query = nil
		return nil, withhold(err, st.Args)
	}
	r.unbind()
	return &r.page, nil
}

// Forget lets go of the last page, which may be large.
func (r *Repeated) Forget() {
	dest := r.page.dest
	clear(dest)
	r.page = Page{dest: dest[:0]}
}

// fetchAnew takes a pointer for the sake of the stack of those who wait in Repeated.Fetch.
//
//go:noinline
func (s *Session) fetchAnew(ctx context.Context, st *Statement, pageSize int, state []byte) (*Page, error) {
	return s.fetch(ctx, *st, pageSize, state)
}

// fetch is exec for a page. A worker waits for the server in it, so it is as shallow.
func (r *Repeated) fetch(ctx context.Context, s *Session, st *Statement) (err error) {
	if ctx.Err() != nil {
		return cancelled(ctx, ctx.Err())
	}
	defer recovered(r.binder.sending, &err)
	r.page.iter = r.query.Iter()
	return translate(ctx, r.page.open(s, st.CQL, st.ColumnsKnown))
}

// unbind lets go of the values, which belong to the caller and may be large.
func (r *Repeated) unbind() {
	r.query.Bind().RoutingKey(nil)
	r.binder.args = nil
}

func (r *Repeated) bind(ctx context.Context, s *Session, st *Statement) error {
	of := Statement{CQL: st.CQL, Consistency: st.Consistency, ColumnsKnown: st.ColumnsKnown, Idempotent: st.Idempotent}
	if r.query == nil || r.binder.session != s || r.ctx != ctx || !r.of.likewise(of) {
		q, err := s.query(ctx, *st, &r.binder)
		if err != nil {
			return err
		}
		r.query, r.of, r.ctx = q.WithContext(ctx), of, ctx
		return nil
	}
	args, err := s.bindable(ctx, *st)
	if err != nil {
		return err
	}
	r.binder = binder{session: s, ctx: ctx, encoding: st.Encoding, args: args}
	r.query.Bind(args...).RoutingKey(st.PartitionKey) // gocql knows the keyspace from the last time
	return nil
}

func (st *Statement) likewise(other Statement) bool {
	return st.CQL == other.CQL && st.Consistency == other.Consistency &&
		st.ColumnsKnown == other.ColumnsKnown && st.Idempotent == other.Idempotent
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
