package driver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/gocql/gocql"
)

// Statement is one CQL statement with what it is to run with.
type Statement struct {
	CQL  string
	Args []any // for ?, in order; a *Value passes as it is, gocql.UnsetValue is unset, the rest is marshalled by gocql

	Encoding *Encoding // what Args are encoded for, or are to be; nil: what the server says when the request is sent

	Consistency       *gocql.Consistency       // nil: the session's
	SerialConsistency *gocql.SerialConsistency // nil: the session's; for conditional statements
	Timestamp         *int64                   // microseconds, not 0; nil: as the session does (by default the client's clock)

	// PartitionKey is that of the only partition that is asked, as the server has it. With
	// nil gocql makes it of Args, for which it looks the statement up. Repeated alone uses it.
	PartitionKey []byte

	// ColumnsKnown says that answers need not say what their columns are: they are those that
	// the server named when it prepared the text. That is right for a text of the session's own
	// (Session.Own) that keeps its columns (Description.KeepsColumns). Repeated alone uses it.
	ColumnsKnown bool

	// Idempotent goes to the policies and observers of the session as it is.
	// It makes nothing repeat the statement here.
	Idempotent bool
}

var (
	// ErrZeroTimestamp says that a timestamp of exactly 0 was asked for: gocql
	// takes that as "now".
	ErrZeroTimestamp = errors.New("a timestamp of 0 cannot be sent outside of the statement's text: " +
		"the driver takes it as now; write USING TIMESTAMP ? instead")

	// ErrNotPreparable says that a statement takes bound values or was to be
	// described, but is of a kind that is not prepared.
	ErrNotPreparable = errors.New("only SELECT, INSERT, UPDATE, DELETE and BEGIN … BATCH can be prepared, " +
		"and the text must begin with that word and a space")

	// ErrTupleParam says that one ? stands for a whole tuple. gocql spreads it
	// over a value an element and then finds no types for them.
	ErrTupleParam = errors.New("is a tuple, which the driver cannot bind to one ?; " +
		"write a ? an element, as in (?, (?, ?)), and null as a word")

	// ErrUnpreparedLoop says that the server forgot the statement each time
	// anew right after it had been prepared.
	ErrUnpreparedLoop = errors.New("the server answers Unprepared again after every prepare")
)

// maxPrepares is how often one request is prepared before it fails. gocql
// itself prepares and recurses without end.
const maxPrepares = 4

// query makes the gocql query of st, with the driver's own retries,
// speculation and paging switched off. It is given back by Release after use. The
// binder is its own for as long as the query is used.
func (s *Session) query(ctx context.Context, st Statement, b *binder) (*gocql.Query, error) {
	args, err := s.bindable(ctx, &st)
	if err != nil {
		return nil, err
	}
	// The binder counts prepares. With args bound as well, the query still has
	// the values from which gocql makes its routing key.
	*b = binder{session: s, ctx: ctx, encoding: st.Encoding, args: args}
	q := s.gocql.Bind(st.CQL, b.bind).Bind(args...).
		PageState(nil).
		RetryPolicy(nil).
		Idempotent(st.Idempotent)
	if st.Consistency != nil {
		q.SetConsistency(*st.Consistency)
	}
	if st.SerialConsistency != nil {
		q.SerialConsistency(*st.SerialConsistency)
	}
	if st.Timestamp != nil {
		q.WithTimestamp(*st.Timestamp)
	}
	return q, nil
}

// bindable gives the values of st as they are bound, if it can be sent at all.
func (s *Session) bindable(ctx context.Context, st *Statement) ([]any, error) {
	if err := s.placed(ctx); err != nil {
		return nil, err
	}
	args, err := st.Encoding.bound(st.Args)
	if err != nil {
		return nil, err
	}
	if len(args) > 0 && st.Encoding == nil && !preparable(st.CQL) { // one with an Encoding has been prepared
		return nil, ErrNotPreparable
	}
	if st.Timestamp != nil && *st.Timestamp == 0 {
		return nil, ErrZeroTimestamp
	}
	return args, nil
}

// binder hands the bound values over each time a request has been prepared. What it
// refuses is not sent.
type binder struct {
	session  *Session
	ctx      context.Context // of the request
	encoding *Encoding       // nil if the values are for any
	args     []any
	prepares int
	handed   bool // the values went to the driver, so from here on something may be sent
}

func (b *binder) bind(info *gocql.QueryInfo) ([]any, error) {
	b.handed = false // what was sent before was answered: the server did not know the statement
	if b.prepares++; b.prepares > maxPrepares {
		return nil, ErrUnpreparedLoop
	}
	if err := b.check(info, b.encoding, b.args); err != nil {
		return nil, err
	}
	b.handed = true
	return b.args, nil
}

func (b *binder) sending() bool { return b.handed }

// check compares the values of a statement with what the server says of it.
func (b *binder) check(info *gocql.QueryInfo, encoding *Encoding, args []any) error {
	b.session.learn(info.Args)
	if encoding != nil {
		if err := encoding.accepts(b.ctx, info); err != nil {
			return err
		}
	}
	for _, param := range info.Args {
		if isTuple(param) {
			return fmt.Errorf("bound value %s %w", param.Name, ErrTupleParam)
		}
	}
	if len(args) != len(info.Args) {
		return &BoundCountError{Want: len(info.Args), Got: len(args)}
	}
	return unsettable(info.Args, args)
}

// Exec runs a statement whose rows, if any, are of no interest. A conditional
// statement that was not applied is no error: Fetch its one row to learn that.
func (s *Session) Exec(ctx context.Context, st Statement) error {
	b := new(binder)
	q, err := s.query(ctx, st, b)
	if err != nil {
		return err
	}
	defer q.Release() // safe: with paging and speculation off nothing runs on after Exec
	return withhold(guard(ctx, b.sending, func() error { return q.WithContext(ctx).Exec() }), st.Args)
}

// preparable reports whether gocql will prepare a statement. It follows the same rule word for
// word, since gocql *executes* what it does not prepare.
func preparable(cql string) bool {
	cql = strings.TrimLeftFunc(strings.TrimRightFunc(cql, func(r rune) bool {
		return unicode.IsSpace(r) || r == ';'
	}), unicode.IsSpace)
	verb := ""
	if n := strings.IndexFunc(cql, unicode.IsSpace); n >= 0 {
		verb = strings.ToLower(cql[:n])
	}
	if verb == "begin" {
		verb = strings.ToLower(cql[strings.LastIndexFunc(cql, unicode.IsSpace)+1:])
	}
	switch verb {
	case "select", "insert", "update", "delete", "batch":
		return true
	}
	return false
}
