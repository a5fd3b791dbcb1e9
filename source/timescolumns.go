package source

import (
	"context"
	"errors"
	"fmt"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// TimesColumns returns the columns that rows of a table have with Times, of which these are
// read, in order: so a file that gets no row can name its columns too. The name is as for Table.
// It asks the server for its version and the table's schema; errors are those of Check.
func TimesColumns(ctx context.Context, session *gocql.Session, name string, columns ...string) ([]rxcql.Column, error) {
	keyspace, table, nameErr := schema.ParseName(name)
	s, sessionErr := driver.Wrap(session)
	if err := errors.Join(nameErr, sessionErr); err != nil {
		return nil, fmt.Errorf("source.TimesColumns: %w: %w", rxcql.ErrConfig, err)
	}
	about, err := loadKnown(ctx, s, keyspace, table)
	if err != nil {
		return nil, err
	}
	perElement, err := tellsElements(ctx, s)
	if err != nil {
		return nil, err
	}
	timed, err := timesOf(about, columns, perElement)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", rxcql.ErrSchema, err)
	}
	var list []rxcql.Column
	for _, name := range columns {
		c, known := about.Column(name)
		if !known {
			return nil, fmt.Errorf("%w: table %s has no column %q%s", rxcql.ErrSchema, about.Quoted(), name, schema.Meant(name, about.ColumnNames()))
		}
		list = append(list, rxcql.Column{Name: c.Name, Type: c.Type})
	}
	for _, c := range timed {
		t := bigintType
		if c.list {
			t = bigintsType
		}
		list = append(list, rxcql.Column{Name: writeTimeName(c.Name), Type: t}, rxcql.Column{Name: expiresName(c.Name), Type: t})
	}
	return list, nil
}
