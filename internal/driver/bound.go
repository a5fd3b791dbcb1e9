package driver

import (
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
	if len(args) != len(params) {
		return nil, &BoundCountError{Want: len(params), Got: len(args)}
	}
	values, out := make([]Value, len(args)), make([]any, len(args))
	for i, arg := range args {
		if v, ok := arg.(*Value); ok && v != nil {
			values[i] = *v
		} else if arg == any(gocql.UnsetValue) {
			values[i].State = Unset
		} else if data, err := (&plain{arg, i}).MarshalCQL(params[i].TypeInfo); err != nil {
			return nil, err
		} else if values[i].Bytes = data; data == nil {
			values[i].State = Null
		}
		if out[i] = &values[i]; values[i].State == Unset {
			out[i] = gocql.UnsetValue
		}
	}
	return out, nil
}

// Encode gives the values to bind as they go to the server. There must be as many as
// there are Params, all of which fit (Fits).
func (d *Description) Encode(args []any) ([]Value, error) {
	out, err := encodeFor(d.params, args)
	if err != nil {
		return nil, err
	}
	values := make([]Value, len(out))
	for i, v := range out {
		if v, ok := v.(*Value); ok {
			values[i] = *v
		} else {
			values[i].State = Unset
		}
	}
	return values, nil
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
