package schema

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
)

// Select is a SELECT as the server describes it now, and the table that it reads in this session,
// on whose keyspace that may depend.
type Select struct {
	About *driver.Description
	Table *Table
}

// DescribeSelect asks the server about a SELECT for what takes it (its verb, as users know it).
// fits compares the description with what is bound and read; its error is one of several. ask
// repeats a question while its failure may pass.
func DescribeSelect(ctx context.Context, s *driver.Session, verb, cql string, ask func(func() error) error,
	fits func(*driver.Description) error,
) (*Select, error) {
	found := &Select{}
	err := ask(func() (err error) {
		found.About, err = s.Describe(ctx, cql)
		return err
	})
	switch {
	case err != nil && (driver.MayPass(err) || ctx.Err() != nil):
		return nil, fmt.Errorf("the statement could not be checked: %w", err)
	case errors.Is(err, driver.ErrConfig): // an error of the session, not of the statement
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("%w: the statement was refused: %w", driver.ErrSchema, err)
	}
	var errs []error
	if len(found.About.Results) == 0 {
		errs = append(errs, errors.New("the statement gives no rows; "+verb+" takes a SELECT"))
	}
	errs = append(errs, fits(found.About))
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("%w: %w", driver.ErrSchema, err)
	}
	err = ask(func() (err error) {
		found.Table, err = load(ctx, s, found.About.Keyspace, found.About.Table, (*loader).dropsOf)
		return err
	})
	if gone(err) { // since
		err = fmt.Errorf("%w: %w", driver.ErrSchema, err)
	}
	return found, err
}

// Decodes compares the columns of a result with the rows that they are read as: T, or undecoded
// ones.
func Decodes[T any](columns []codec.Column, undecoded bool) error {
	if undecoded || len(columns) == 0 {
		return codec.Distinct(columns)
	}
	_, err := codec.NewDecoder[T](columns)
	return err
}

// Whole reports whether the statement must not be paged: it is on a virtual table and may have a
// LIMIT. Cassandra pages virtual tables by whole partitions. So a page has more rows than were
// asked for, all pages together have more than the LIMIT, and then there is a page state that
// Cassandra refuses.
func (s *Select) Whole(cql string) bool { return s.Table.Virtual && driver.MayLimit(cql) }

// Reads reports whether the statement may read a column: one of its result has that name, or the
// name is in its text.
func (s *Select) Reads(cql, column string) bool {
	in := func(r codec.Column) bool { return r.Name == column }
	return slices.ContainsFunc(s.About.Results, in) || MentionsColumn(cql, column)
}

// Unchanged checks that a table that is read is still the one that it was: a
// driver.SchemaChangedError if it is not, other errors where that could not be found out. The
// driver silently prepares a statement anew when it must, so a table that was dropped and made
// again would be read as if it were the old one.
func Unchanged(ctx context.Context, q Reader, before *Table) error {
	if before.Virtual {
		return nil
	}
	now, err := Find(ctx, q, before.Keyspace, before.Name)
	switch {
	case gone(err):
		return &driver.SchemaChangedError{What: fmt.Sprintf("table %s was dropped while it was read", before.Quoted())}
	case err != nil:
		return err
	case now.ID != before.ID:
		return &driver.SchemaChangedError{What: fmt.Sprintf("table %s was dropped and made again while it was read", before.Quoted())}
	}
	return nil
}

func gone(err error) bool {
	return errors.Is(err, ErrUnknownTable) || errors.Is(err, ErrUnknownKeyspace)
}
