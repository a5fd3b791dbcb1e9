package parquet

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/parquetcell"
)

// encoder turns rows into encoded values. It belongs to one goroutine.
type encoder[T any] interface {
	// schema returns the schema of the file that a row goes to; nil if the row would be needed to
	// know it and there is none.
	schema(row *T) (*parquetcell.Schema, error)
	// cells returns the values of a row in the order of the columns, nil for null. They are valid
	// until the next call.
	cells(row *T) ([][]byte, error)
	// forget forgets a schema that was made for a row.
	forget()
}

// encoder makes the encoder of a run.
func (s *sink[T]) encoder(ctx context.Context) (encoder[T], error) {
	given, err := s.cfg.types.load(ctx)
	if err != nil {
		return nil, err
	}
	if isRow[T]() {
		e := &rowEncoder{}
		if e.given = given != nil; e.given {
			err = e.begin(given)
		}
		return any(e).(encoder[T]), err //nolint:forcetypeassert // T is a Row
	}
	e := &structEncoder[T]{}
	if given == nil {
		if given, err = columnsOfStruct[T](); err != nil {
			return nil, err
		}
	}
	if e.plan, err = codec.NewEncoder[T](given); err != nil {
		return nil, fmt.Errorf("%w: %w", rxcql.ErrSchema, err)
	}
	e.at, e.values = make([]codec.Cell, len(given)), make([][]byte, len(given))
	e.file, err = parquetcell.NewSchema(given)
	return e, err
}

// columnsOfStruct returns the columns of a struct, with the CQL types that its Go types are kept
// in.
func columnsOfStruct[T any]() ([]rxcql.Column, error) {
	fields, _, err := codec.TaggedFields[T]()
	var columns []rxcql.Column
	errs := []error{err}
	for _, f := range fields {
		t, known := parquetcell.ForGo(f.Type)
		if !known {
			errs = append(errs, fmt.Errorf("field %s: %s does not say which CQL type it is kept in: give Types or TypesOf", f.Path, codec.A(f.Type)))
			continue
		}
		columns = append(columns, rxcql.Column{Name: f.Name, Type: t})
	}
	return columns, errors.Join(errs...)
}

// structEncoder encodes structs.
type structEncoder[T any] struct {
	plan   *codec.Encoder[T]
	file   *parquetcell.Schema
	buf    []byte
	at     []codec.Cell
	values [][]byte
}

func (e *structEncoder[T]) schema(*T) (*parquetcell.Schema, error) { return e.file, nil }

func (e *structEncoder[T]) forget() {}

func (e *structEncoder[T]) cells(row *T) ([][]byte, error) {
	if cap(e.buf) > keepBuffer {
		e.buf = nil
	}
	var err error
	if e.buf, err = e.plan.Encode(e.buf[:0], row, e.at); err != nil {
		return nil, err
	}
	for i, c := range e.at {
		if e.values[i] = c.Bytes; c.Null {
			e.values[i] = nil
		}
	}
	return e.values, nil
}

// rowEncoder passes undecoded rows on. All of them must have the same columns.
type rowEncoder struct {
	file   *parquetcell.Schema
	given  bool           // the columns do not come from a row
	same   *rxcql.Columns // that are known to be those of the file
	values [][]byte
}

func (e *rowEncoder) begin(columns []rxcql.Column) (err error) {
	e.file, err = parquetcell.NewSchema(columns)
	if err != nil {
		err = fmt.Errorf("%w: %w", rxcql.ErrSchema, err)
	}
	return err
}

func (e *rowEncoder) schema(row *rxcql.Row) (*parquetcell.Schema, error) {
	if e.file != nil || row == nil {
		return e.file, nil
	}
	if row.Columns() == nil || row.Len() == 0 {
		return nil, errNoColumns
	}
	return e.file, e.begin(row.Columns().List())
}

func (e *rowEncoder) forget() {
	if !e.given {
		e.file, e.same = nil, nil
	}
}

var errNoColumns = fmt.Errorf("%w: the row has no columns", rxcql.ErrSchema)

func (e *rowEncoder) cells(row *rxcql.Row) ([][]byte, error) {
	columns := row.Columns()
	if columns != e.same || columns == nil {
		if columns == nil {
			return nil, errNoColumns
		}
		if err := sameColumns(e.file.Columns(), columns.List()); err != nil {
			return nil, err
		}
		e.same = columns
	}
	e.values = e.values[:0]
	for i := range row.Len() {
		e.values = append(e.values, row.Bytes(i))
	}
	return e.values, nil
}

// sameColumns returns an error unless two lists have the same names and types in the same order.
func sameColumns(file, row []rxcql.Column) error {
	if len(file) != len(row) {
		return fmt.Errorf("%w: the row has %d columns, and the file has %d", rxcql.ErrSchema, len(row), len(file))
	}
	for i, c := range file {
		if r := row[i]; r.Name != c.Name || !reflect.DeepEqual(unfrozen(r.Type), unfrozen(c.Type)) {
			return fmt.Errorf("%w: column %d of the row is %q (%s), and that of the file is %q (%s)",
				rxcql.ErrSchema, i+1, r.Name, r.Type, c.Name, c.Type)
		}
	}
	return nil
}

// unfrozen is a type without a word on whether it is frozen, which the server does not say of the
// columns of a result, and without the place where a user-defined type is declared.
func unfrozen(t *codec.Type) *codec.Type {
	if t == nil {
		return nil
	}
	u := *t
	u.Frozen, u.Keyspace = false, ""
	u.Elems, u.Fields = nil, nil
	for _, e := range t.Elems {
		u.Elems = append(u.Elems, unfrozen(e))
	}
	for _, f := range t.Fields {
		u.Fields = append(u.Fields, codec.Field{Name: f.Name, Type: unfrozen(f.Type)})
	}
	return &u
}
