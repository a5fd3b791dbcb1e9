package parquet

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// types says where the CQL types of columns come from. The zero value says nothing.
type types struct {
	columns        []rxcql.Column // given as they are
	session        *driver.Session
	keyspace, name string // of a table, if there is a session
}

func (t *types) given() bool { return t.columns != nil || t.session != nil }

// TypesOf gives the columns the CQL types that they have in a table ("keyspace.table", each part in
// double quotes where CQL would need them). That need not be the table that rows go to or come
// from. The table is looked up when a run begins, and by Check.
//
// For Read, columns of the table that are not in the file are not in the rows. For Write the file
// gets all columns of the table, in the order in which the server lists them, and every row must
// have all of them. In a job the types must be the same each time.
func TypesOf(session *gocql.Session, table string) interface {
	ReadOption
	WriteOption
} {
	return typesOf{session, table}
}

type typesOf struct {
	session *gocql.Session
	table   string
}

func (o typesOf) set(t *types) error {
	if t.given() {
		return errTypesTwice
	}
	var nameErr, sessionErr error
	t.keyspace, t.name, nameErr = schema.ParseName(o.table)
	t.session, sessionErr = driver.Wrap(o.session)
	if err := errors.Join(nameErr, sessionErr); err != nil {
		return fmt.Errorf("TypesOf: %w", err)
	}
	return nil
}

func (o typesOf) applyRead(c *readConfig) error   { return o.set(&c.types) }
func (o typesOf) applyWrite(c *writeConfig) error { return o.set(&c.types) }

var errTypesTwice = errors.New("types are given twice: give either TypesOf or Types, once")

// Types gives the columns these CQL types, as TypesOf does. rxcql.Columns.List has those of rows
// that are undecoded.
func Types(columns ...rxcql.Column) interface {
	ReadOption
	WriteOption
} {
	return typeList(columns)
}

type typeList []rxcql.Column

func (l typeList) set(t *types) error {
	if t.given() {
		return errTypesTwice
	}
	if len(l) == 0 {
		return errors.New("Types: no column is given")
	}
	for _, c := range l {
		if c.Type == nil {
			return fmt.Errorf("Types: column %q has no type", c.Name)
		}
	}
	if err := codec.Distinct(l); err != nil {
		return fmt.Errorf("Types: %w", err)
	}
	t.columns = l
	return nil
}

func (l typeList) applyRead(c *readConfig) error   { return l.set(&c.types) }
func (l typeList) applyWrite(c *writeConfig) error { return l.set(&c.types) }

// load returns the columns, nil if there are none given.
func (t *types) load(ctx context.Context) ([]rxcql.Column, error) {
	if t.session == nil {
		return t.columns, nil
	}
	var about *schema.Table
	err := rxcql.Retry(ctx, driver.MayPass, func() (err error) {
		about, err = schema.Load(ctx, t.session, t.keyspace, t.name)
		return err
	})
	if errors.Is(err, schema.ErrUnknownTable) || errors.Is(err, schema.ErrUnknownKeyspace) {
		err = fmt.Errorf("%w: %w", rxcql.ErrSchema, err)
	}
	if err != nil {
		return nil, fmt.Errorf("TypesOf: %w", err)
	}
	var columns []rxcql.Column
	for _, c := range about.Columns {
		columns = append(columns, rxcql.Column{Name: c.Name, Type: c.Type})
	}
	return columns, nil
}

// typesFact is what must be the same for a job to go on.
func typesFact(columns []rxcql.Column) rxcql.Fact {
	var all []string
	for _, c := range columns {
		all = append(all, c.Name+" "+c.Type.String())
	}
	return rxcql.Fact{Name: "types", Value: strings.Join(all, ", ")}
}

func isRow[T any]() bool { return reflect.TypeFor[T]() == reflect.TypeFor[rxcql.Row]() }

// checkType refuses a T that is neither a struct with cql tags nor a rxcql.Row.
func checkType[T any]() error {
	if isRow[T]() {
		return nil
	}
	_, isStruct, err := codec.TaggedFields[T]()
	if err == nil && !isStruct {
		err = fmt.Errorf("%s has no columns; use a struct with cql tags, or rxcql.Row", codec.A(reflect.TypeFor[T]()))
	}
	return err
}

// configError puts the name of a function before what is wrong with its arguments.
type configError struct {
	name string
	err  error
}

func (e *configError) Error() string   { return e.name + ": " + e.err.Error() }
func (e *configError) Unwrap() []error { return []error{rxcql.ErrConfig, e.err} }
