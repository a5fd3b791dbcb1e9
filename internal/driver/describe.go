package driver

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql/internal/codec"
)

// Description is what the server says of a statement that it has prepared.
type Description struct {
	Params       []codec.Column // one a bound value, in order, with the column's name or such as [timestamp]
	Results      []codec.Column // of a SELECT; empty for writes, conditional ones included
	PartitionKey []int          // which of Params make the partition key, in key order; empty if not all are bound

	Keyspace, Table string // of Results, else of Params, exact letters; empty if there are none

	// Text is the statement as it was prepared, with a comment that names the state of
	// the schema. Go values that are bound to it are encoded for these Params; gocql
	// encodes those of the plain text for what it prepared first in the session.
	Text string

	params []gocql.ColumnInfo // Params as the driver has them
}

// Describe has the server prepare cql, which checks it against the schema as it is
// now (but not the role's permissions), and returns what it answered. The statement
// is not run. Statements that cannot be prepared are ErrNotPreparable.
func (s *Session) Describe(ctx context.Context, cql string) (*Description, error) {
	if !preparable(cql) {
		return nil, ErrNotPreparable // gocql would run it
	}
	if err := s.placed(ctx); err != nil {
		return nil, err
	}
	text, err := s.current(ctx, cql)
	if err != nil {
		return nil, err
	}
	info, err := s.prepare(ctx, text)
	if Classify(err) == Syntax {
		// The server's words quote the text, and count its letters: they should be the
		// caller's. What does not parse is never taken from gocql's cache.
		if _, plain := s.prepare(ctx, cql); plain != nil {
			err = plain
		}
	}
	if err != nil {
		return nil, err
	}
	d := &Description{Text: text, PartitionKey: info.PKeyColumns, params: info.Args}
	if d.Params, err = convert(info.Args); err != nil {
		return nil, err
	}
	if d.Results, err = convert(info.Rval); err != nil {
		return nil, err
	}
	if columns := slices.Concat(info.Rval, info.Args); len(columns) > 0 {
		d.Keyspace, d.Table = columns[0].Keyspace, columns[0].Table
	}
	return d, nil
}

// prepare has gocql prepare a text, or say what it knows of it.
func (s *Session) prepare(ctx context.Context, text string) (*gocql.QueryInfo, error) {
	// gocql has no prepare of its own, but binds between preparing and running,
	// and gives up if the binder fails. ErrNotFound is the failure that no host
	// policy holds against the host.
	var info *gocql.QueryInfo
	q := s.gocql.Bind(text, func(q *gocql.QueryInfo) ([]any, error) {
		info = q
		return nil, gocql.ErrNotFound
	}).RetryPolicy(nil).Idempotent(true)
	defer q.Release()

	err := guard(ctx, nil, func() error { return q.WithContext(ctx).Exec() })
	if info == nil {
		return nil, err
	}
	return info, nil
}

// Fits says, without I/O, which of the values to bind could not be sent. There
// must be as many as there are Params.
func (d *Description) Fits(args []any) error {
	var errs []error
	for i, arg := range guarded(args) {
		errs = append(errs, fits(d.params[i], arg, i))
	}
	return errors.Join(errs...)
}

func fits(param gocql.ColumnInfo, arg any, index int) error {
	switch {
	case isTuple(param):
		return fmt.Errorf("bound value %s %w", param.Name, ErrTupleParam)
	case arg == any(gocql.UnsetValue):
		return nil
	}
	_, err := gocql.Marshal(param.TypeInfo, arg)
	return err
}
