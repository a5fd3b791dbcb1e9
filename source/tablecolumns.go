package source

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// names returns the columns that are read.
func (t *table[T]) names(about *schema.Table) []string {
	if len(t.cfg.columns) > 0 {
		return t.cfg.columns
	}
	return about.ColumnNames()
}

// reads compares T with the table and returns the columns that T needs, and what a SELECT reads of
// their times.
func (t *table[T]) reads(ctx context.Context) (about *schema.Table, names, times []string, err error) {
	about, err = loadKnown(ctx, t.session, t.keyspace, t.name)
	if err != nil {
		return nil, nil, nil, err
	}
	var errs []error
	if about.Virtual {
		errs = append(errs, errors.New("a virtual table has no token ranges to read by: use Query"))
	}
	names = t.names(about)
	selected, err := pick(about, names)
	errs = append(errs, err)
	switch {
	case isRow[T]():
	case err == nil:
		_, err = codec.NewDecoder[T](selected)
		errs = append(errs, err)
	case len(selected) > 0: // what is wrong with the columns that are there
		errs = append(errs, codec.FitsSome[T](selected))
	}
	if t.cfg.times && err == nil {
		var perElement bool
		if perElement, err = tellsElements(ctx, t.session); err != nil {
			return nil, nil, nil, err
		}
		var timed []timedColumn
		timed, err = timesOf(about, names, perElement)
		errs = append(errs, err)
		times = terms(timed)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, nil, nil, fmt.Errorf("%w: table %s: %w", rxcql.ErrSchema, about.Quoted(), err)
	}
	return about, names, times, nil
}

// loadKnown is load; a table that does not exist is a rxcql.ErrSchema.
func loadKnown(ctx context.Context, s *driver.Session, keyspace, name string) (*schema.Table, error) {
	about, err := load(ctx, s, keyspace, name)
	if errors.Is(err, schema.ErrUnknownTable) || errors.Is(err, schema.ErrUnknownKeyspace) {
		err = fmt.Errorf("%w: %w", rxcql.ErrSchema, err)
	}
	return about, err
}

func pick(about *schema.Table, names []string) ([]codec.Column, error) {
	var cols []codec.Column
	var errs []error
	for _, name := range names {
		col, found := about.Column(name)
		if !found {
			errs = append(errs, fmt.Errorf("it has no column %q%s; it has %s", name, schema.Meant(name, about.ColumnNames()), strings.Join(about.ColumnNames(), ", ")))
			continue
		}
		cols = append(cols, codec.Column{Name: col.Name, Type: col.Type})
	}
	return cols, errors.Join(errs...)
}

// quoted returns names as a SELECT has them.
func quoted(names []string) []string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = schema.Quote(name)
	}
	return list
}

// statement reads a range. selected is CQL.
func statement(about *schema.Table, selected []string) string {
	key := make([]string, len(about.PartitionKey))
	for i, col := range about.PartitionKey {
		key[i] = schema.Quote(col.Name)
	}
	token := "token(" + strings.Join(key, ", ") + ")"
	return fmt.Sprintf("SELECT %s FROM %s WHERE %s > ? AND %s <= ?",
		strings.Join(selected, ", "), about.Quoted(), token, token)
}
