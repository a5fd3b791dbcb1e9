package driver

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql/internal/codec"
)

// bound gives the values in the form in which the driver takes them. Those that are
// encoded here are counted too: on too few values gocql panics.
func (e *Encoding) bound(args []any) ([]any, error) {
	if e == nil || e.params == nil {
		return guarded(args), nil
	}
	return encodeFor(e.params, args)
}

func encodeFor(params []gocql.ColumnInfo, args []any) ([]any, error) {
	values := make([]Value, len(args))
	if err := encodeInto(values, params, args); err != nil {
		return nil, err
	}
	return Bind(make([]any, 0, len(args)), values), nil
}

func encodeInto(values []Value, params []gocql.ColumnInfo, args []any) error {
	if len(args) != len(params) {
		return &BoundCountError{Want: len(params), Got: len(args)}
	}
	for i, arg := range args {
		if v, ok := arg.(*Value); ok && v != nil {
			values[i] = *v
		} else if arg == any(gocql.UnsetValue) {
			values[i].State = Unset
		} else if data, err := (&plain{arg, i}).MarshalCQL(params[i].TypeInfo); err != nil {
			return err
		} else if values[i].Bytes = data; data == nil {
			values[i].State = Null
		}
	}
	return nil
}

// Encode gives the values to bind as they go to the server, in the memory of values, of
// which nothing is kept. There must be as many args as there are Params, all of which
// fit (Fits).
func (d *Description) Encode(values []Value, args []any) ([]Value, error) {
	values = slices.Grow(values[:0], len(args))[:len(args)]
	clear(values)
	return values, encodeInto(values, d.params, args)
}

// Unbindable is an error that names the bind markers for which no value can be sent, nil
// if there are none.
func (d *Description) Unbindable() error {
	var errs []error
	for i, p := range d.Params {
		if p.Type.Kind == codec.Tuple {
			errs = append(errs, fmt.Errorf("bind marker %d (%s %s): the driver cannot bind a tuple; "+
				"write a marker for each element, as in (?, ?)", i+1, p.Name, p.Type))
		}
	}
	return errors.Join(errs...)
}

// Types are those of Params.
func (d *Description) Types() []*codec.Type {
	types := make([]*codec.Type, len(d.Params))
	for i, p := range d.Params {
		types[i] = p.Type
	}
	return types
}

// Tables are the keyspaces and names of the tables that the bind markers and the
// results are of, exact letters, without repeats. A table of a batch that has no marker
// is not among them.
func (d *Description) Tables() (tables [][2]string) {
	known := map[[2]string]bool{}
	note := func(keyspace, table string) {
		at := [2]string{keyspace, table}
		if table != "" && !known[at] {
			known[at] = true
			tables = append(tables, at)
		}
	}
	note(d.Keyspace, d.Table)
	for _, p := range d.params {
		note(p.Keyspace, p.Table)
	}
	return tables
}
