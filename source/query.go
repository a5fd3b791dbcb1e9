package source

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
)

// Query reads the rows of one SELECT, page by page with explicit page state, in
// the order of the server. One page is fetched ahead while another is worked
// on, but for a limit from downstream (operators.Take) of up to 5,000 rows.
//
// The first page has 100 rows at most; later ones have as many as make up the
// wanted bytes (see rxcql.Budget), 10,000 at most (PageRows), and where the
// statement may have a LIMIT no more than came before. The rows are those that the
// driver gives alone, whatever the form of the statement. One that the server cannot
// page (ORDER BY with IN on the partition key) comes whole, as one page: an answer
// that is larger than the budget, or than the 256 MiB that the driver takes, is an
// error.
//
// Errors: a statement that the server refuses, columns that do not fit T, two
// columns of one name (give one an alias with AS) and bound values that do not fit the statement (rxcql.ErrSchema) are found by Check,
// before reading starts. A page that fails in a way that may pass (a timeout, an
// overloaded or lost node) is asked for again, see rxcql.WithRetry, and no row is
// handed on twice; one that fails for good is a rxcql.StageError around a
// rxcql.RowError with the page's number. It is never taken for the end. A row that
// cannot be decoded is a row error, as for Table.
func Query[T any](session *gocql.Session, cql string, opts ...QueryOption) rxcql.Stream[T] {
	cfg := newReadConfig()
	var errs []error
	for _, opt := range opts {
		if opt == nil {
			errs = append(errs, errNilOption)
			continue
		}
		errs = append(errs, opt.applyQuery(&cfg))
	}
	_, _, err := codec.Columns[T]()
	if !isRow[T]() {
		errs = append(errs, err)
	}
	if strings.TrimSpace(cql) == "" {
		errs = append(errs, errors.New("the statement is empty"))
	}
	ses, err := driver.Wrap(session)
	errs = append(errs, err)

	st := driver.Statement{CQL: cql, Args: cfg.args, Consistency: cfg.consistency, Idempotent: true}
	var last atomic.Pointer[checked]
	info := rxcql.StageInfo{
		Name: "Query", Source: true, Err: errors.Join(errs...),
		Check: func(ctx context.Context) error {
			found, err := checkQuery[T](ctx, ses, st)
			if err == nil {
				last.Store(found)
			}
			return err
		},
	}
	return rxcql.NewStream(info, func(ctx context.Context, stage *rxcql.Stage, out rxcql.Observer[T]) error {
		done, begun, err := resumeQuery(ctx, stage, ses, st)
		if err != nil {
			return err
		}
		r := &reading[T]{session: ses, cfg: cfg, workers: 1}
		whole := part{name: rxcql.WholeRange.String(), span: rxcql.WholeRange, st: st, limit: mayLimit(cql)}
		if found := last.Load(); found != nil {
			whole.st.CQL, whole.whole = found.text, found.whole
		}
		whole.more, r.same = sameTable(ses, cql)
		switch {
		case len(begun) > 0:
			whole.track = begun[0]
			r.parts = []part{whole}
		case len(done) == 0:
			r.parts = []part{whole}
		}
		return r.run(ctx, stage, out)
	})
}

// sameTable has a query of several pages compare the table that it reads, when it
// has got the first and when it has got the last: the driver prepares a statement
// anew where it has to, so the pages could be of two tables.
func sameTable(ses *driver.Session, cql string) (begun, ended func(context.Context) error) {
	var first string
	begun = func(ctx context.Context) (err error) {
		first, err = tableID(ctx, ses, cql)
		return err
	}
	ended = func(ctx context.Context) error {
		if first == "" {
			return nil
		}
		now, err := tableID(ctx, ses, cql)
		if err == nil && now != first {
			err = fmt.Errorf("%w: the table was dropped and made again while it was read", rxcql.ErrSchema)
		}
		return err
	}
	return begun, ended
}

func resumeQuery(ctx context.Context, stage *rxcql.Stage, ses *driver.Session, st driver.Statement) (done []rxcql.TokenRange, begun []*rxcql.Track, err error) {
	if !stage.Run().HasCheckpoint() {
		return nil, nil, nil
	}
	version, err := ses.Version(ctx)
	if err != nil {
		return nil, nil, stage.Fail(err)
	}
	facts, err := queryFacts(ctx, ses, st)
	if err != nil {
		return nil, nil, stage.Fail(err)
	}
	return stage.Resume(rxcql.Identity{Pages: "Cassandra " + version, Facts: facts})
}

// queryFacts say what a position in the result depends on: the statement, the values as
// the server gets them, and the very table that the statement reads in this session,
// whatever keyspace that uses.
func queryFacts(ctx context.Context, ses *driver.Session, st driver.Statement) ([]rxcql.Fact, error) {
	about, err := describe(ctx, ses, st.CQL)
	if err != nil {
		return nil, err
	}
	values, err := about.Encode(st.Args)
	if err != nil {
		return nil, err
	}
	id, err := idOf(ctx, ses, about)
	if err != nil {
		return nil, err
	}
	return []rxcql.Fact{
		{Name: "statement", Value: st.CQL},
		{Name: "hash of the bound values", Value: fingerprint(about.Params, values)},
		{Name: "table id", Value: id},
	}, nil
}

// tableID names the table that a statement reads in this session, whatever keyspace
// that uses, and tells it from one of the same name that was made later.
func tableID(ctx context.Context, ses *driver.Session, cql string) (string, error) {
	about, err := describe(ctx, ses, cql)
	if err != nil {
		return "", err
	}
	return idOf(ctx, ses, about)
}

// idOf is tableID for a statement that has been described.
func idOf(ctx context.Context, ses *driver.Session, about *driver.Description) (string, error) {
	if about.Table == "" {
		return "", nil
	}
	table, err := load(ctx, ses, about.Keyspace, about.Table)
	if err != nil {
		return "", err
	}
	return table.ID, nil
}

// checked is what the last check of a query has found out for running it.
type checked struct {
	text  string // the statement, as it was compared with the bound values if there are any
	whole bool   // it is not to be paged
}

func checkQuery[T any](ctx context.Context, ses *driver.Session, st driver.Statement) (*checked, error) {
	about, err := describe(ctx, ses, st.CQL)
	switch {
	case err != nil && (driver.MayPass(err) || ctx.Err() != nil):
		return nil, fmt.Errorf("the statement could not be checked: %w", err)
	case errors.Is(err, rxcql.ErrConfig): // the session's own, not the statement's
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%w: the statement was refused: %w", rxcql.ErrSchema, err)
	}
	var errs []error
	if len(about.Results) == 0 {
		errs = append(errs, errors.New("the statement gives no rows; Query takes a SELECT"))
	}
	if want := len(about.Params); want != len(st.Args) {
		errs = append(errs, fmt.Errorf("the statement has %d bind markers and Bind gave %d values", want, len(st.Args)))
	} else {
		errs = append(errs, about.Fits(st.Args))
	}
	if isRow[T]() {
		errs = append(errs, codec.Distinct(about.Results))
	} else if len(about.Results) > 0 {
		_, err := codec.NewDecoder[T](about.Results)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("%w: %w", rxcql.ErrSchema, err)
	}
	found := &checked{text: st.CQL}
	if len(st.Args) > 0 {
		found.text = about.Text
	}
	found.whole, err = limitedVirtual(ctx, ses, st.CQL, about)
	return found, err
}
