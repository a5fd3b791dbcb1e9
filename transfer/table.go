package transfer

import (
	"context"
	"errors"
	"fmt"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// Table is a table of a cluster. The name is "keyspace.table", each part in double quotes where CQL
// would need them. The caller closes the session.
type Table struct {
	Session *gocql.Session
	Name    string
}

// end is one end of a transfer: a Table whose name was read and whose session can be used.
type end struct {
	Table
	session        *driver.Session
	keyspace, name string // exact letters, without quotes
}

// open reads the name, without I/O. The error says which end it is about.
func (t Table) open(side string) (*end, error) {
	e := &end{Table: t}
	var nameErr, sessionErr error
	e.keyspace, e.name, nameErr = schema.ParseName(t.Name)
	e.session, sessionErr = driver.Wrap(t.Session)
	if err := errors.Join(nameErr, sessionErr); err != nil {
		return nil, fmt.Errorf("%s: %w", side, err)
	}
	return e, nil
}

// String returns the name for people, as CQL would need it.
func (e *end) String() string { return schema.Spell(e.keyspace) + "." + schema.Spell(e.name) }

// quoted returns the name for statements.
func (e *end) quoted() string { return schema.Quote(e.keyspace) + "." + schema.Quote(e.name) }

// about reads the schema of the table. A table or keyspace that does not exist is an
// rxcql.ErrSchema; see missing.
func (e *end) about(ctx context.Context) (about *schema.Table, err error) {
	err = rxcql.Retry(ctx, driver.MayPass, func() (err error) {
		about, err = schema.Load(ctx, e.session, e.keyspace, e.name)
		return err
	})
	if missing(err) {
		err = fmt.Errorf("%w: %w", rxcql.ErrSchema, err)
	}
	return about, err
}

// missing reports whether an error of about says that there is no such table or keyspace.
func missing(err error) bool {
	return errors.Is(err, schema.ErrUnknownTable) || errors.Is(err, schema.ErrUnknownKeyspace)
}
