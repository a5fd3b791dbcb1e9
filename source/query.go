package source

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/option"
	"github.com/rxcql/rxcql/internal/schema"
)

// Query reads the rows of one SELECT, page by page with explicit page state, in the order of the
// server. One page is fetched ahead while another is worked on, except under a limit from
// downstream (operators.Take) of up to 5,000 rows.
//
// The first page has at most 100 rows. Later pages have as many as make up the wanted bytes (see
// flow.Budget), at most 10,000 (PageRows), and at most as many as came before if the statement may
// have a LIMIT. The rows are the same as the driver alone would give, for any form of statement. A
// statement that the server cannot page (ORDER BY with IN on the partition key) comes as one page;
// if that is larger than the budget, or than the 256 MiB that the driver takes, it is an error.
//
// Check finds these errors before reading starts (rxcql.ErrSchema):
//
//   - a statement that the server refuses;
//   - columns that do not fit T;
//   - two columns of one name (give one an alias with AS);
//   - bound values that do not fit the statement.
//
// If a page fails in a way that may pass (a timeout, an overloaded or lost node), it is asked for
// again, see rxcql.WithRetry, and no row is handed on twice. A page that fails for good is a
// rxcql.StageError around a rxcql.RowError with the page's number; it is never taken for the end. A
// row that cannot be decoded is a row error, as for Table.
func Query[T any](session *gocql.Session, cql string, opts ...QueryOption) rxcql.Stream[T] {
	cfg := newReadConfig()
	errs := []error{option.Apply(opts, &cfg, QueryOption.applyQuery)}
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
	return rxcql.NewStream(info, func(ctx context.Context, stage *rxcql.Stage, out flow.Observer[T]) error {
		found := last.Load()
		if found == nil { // the run was not preceded by a check
			var err error
			if found, err = checkQuery[T](ctx, ses, st); err != nil {
				return stage.Fail(err)
			}
		}
		done, begun, err := resumeQuery(ctx, stage, ses, st, found)
		if err != nil {
			return err
		}
		r := &reading[T]{workers: 1, reader: newPaged[T](ses, cfg, found.Table)}
		whole := part{name: flow.WholeRange.String(), span: flow.WholeRange, st: found.statement(st), limit: driver.MayLimit(cql), whole: found.Whole(st.CQL)}
		several := len(begun) > 0 // these are pages, so they could be of two tables
		whole.more = func() { several = true }
		r.same = func(ctx context.Context) error {
			if !several {
				return nil
			}
			return unchanged(ctx, ses, found.Table, found.reads(st.CQL))
		}
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

func resumeQuery(ctx context.Context, stage *rxcql.Stage, ses *driver.Session, st driver.Statement, found *checked) (done []flow.TokenRange, begun []*flow.Track, err error) {
	if !stage.Run().HasCheckpoint() {
		return nil, nil, nil
	}
	version, err := ses.Version(ctx)
	if err != nil {
		return nil, nil, stage.Fail(err)
	}
	facts, err := found.facts(st)
	if err != nil {
		return nil, nil, stage.Fail(err)
	}
	return stage.Resume(rxcql.Identity{Pages: "Cassandra " + version, Facts: facts})
}

// checked is what the last check of a query found out, for running it.
type checked struct{ *schema.Select }

// reads reports of a column whether the statement may read it.
func (c *checked) reads(cql string) func(column string) bool {
	return func(column string) bool { return c.Reads(cql, column) }
}

// statement returns st as it was compared with the bound values, if there are any.
func (c *checked) statement(st driver.Statement) driver.Statement {
	if len(st.Args) > 0 {
		st.CQL = c.About.Text
	}
	return st
}

// facts returns what a position in the result depends on: the statement, the values as the server
// gets them, and the table with its id.
func (c *checked) facts(st driver.Statement) ([]rxcql.Fact, error) {
	values, err := c.About.Encode(nil, st.Args)
	if err != nil {
		return nil, err
	}
	return []rxcql.Fact{
		{Name: "statement", Value: st.CQL},
		{Name: "hash of the bound values", Value: fingerprint(c.About.Params, values)},
		{Name: "table id", Value: c.Table.ID},
	}, nil
}

func checkQuery[T any](ctx context.Context, ses *driver.Session, st driver.Statement) (*checked, error) {
	found, err := schema.DescribeSelect(ctx, ses, "Query", st.CQL, retried(ctx), func(about *driver.Description) error {
		var errs []error
		if want := len(about.Params); want != len(st.Args) {
			errs = append(errs, fmt.Errorf("the statement has %d bind markers and Bind gave %d values", want, len(st.Args)))
		} else {
			errs = append(errs, about.Fits(st.Args))
		}
		return errors.Join(append(errs, schema.Decodes[T](about.Results, isRow[T]()))...)
	})
	return &checked{found}, err
}
