package tables

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gocql/gocql"
)

// Kind is what a name stands for.
type Kind int

// The kinds of tables.
const (
	Plain Kind = iota
	View
	Virtual
)

// Found is a table of the cluster.
type Found struct {
	Name
	Kind    Kind
	Counter bool // its columns are counters
}

// Find returns what the arguments mean, each table once, in the order of the arguments and, within
// a keyspace, of the names. A keyspace stands for its tables; views are made by the servers, so
// they are meant only where they are named. except names tables to leave out. One error says
// everything that is not there.
func Find(ctx context.Context, session *gocql.Session, args, except []string) ([]Found, error) {
	wanted, err := parseAll(args)
	out, outErr := parseAll(except)
	for _, n := range out {
		if n.Table == "" {
			outErr = errors.Join(outErr, fmt.Errorf("%s is a keyspace: name the tables to leave out", n))
		}
	}
	if err := errors.Join(err, outErr); err != nil {
		return nil, err
	}
	c := &catalog{session: session, known: map[string][]Found{}}
	var all []Found
	var errs []error
	for _, n := range wanted {
		found, err := c.find(ctx, n)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		errs = append(errs, err)
		for _, f := range found {
			if !slices.Contains(out, f.Name) && !slices.Contains(all, f) {
				all = append(all, f)
			}
		}
	}
	for _, n := range out {
		_, err := c.find(ctx, n)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errors.New("no table is left to work on")
	}
	return all, nil
}

func parseAll(args []string) (names []Name, err error) {
	for _, arg := range args {
		n, wrong := Parse(arg)
		err = errors.Join(err, wrong)
		names = append(names, n)
	}
	return names, err
}

// catalog has the tables of the keyspaces that were asked for.
type catalog struct {
	session *gocql.Session
	known   map[string][]Found
}

func (c *catalog) find(ctx context.Context, n Name) ([]Found, error) {
	in, loaded := c.known[n.Keyspace]
	if !loaded {
		var err error
		if in, err = c.keyspace(ctx, n.Keyspace); err != nil {
			return nil, fmt.Errorf("the tables of keyspace %s: %w", Name{Keyspace: n.Keyspace}, err)
		}
		c.known[n.Keyspace] = in
	}
	switch i := slices.IndexFunc(in, func(f Found) bool { return f.Name == n }); {
	case len(in) == 0:
		return nil, fmt.Errorf("there is no keyspace %s, or it has no tables", Name{Keyspace: n.Keyspace})
	case n.Table == "":
		return slices.DeleteFunc(slices.Clone(in), func(f Found) bool { return f.Kind != Plain }), nil
	case i < 0:
		return nil, fmt.Errorf("there is no table %s", n)
	default:
		return in[i : i+1], nil
	}
}

// keyspace returns all tables of a keyspace, in the order of their names. Servers before Cassandra
// 4 have no virtual tables, and refuse to be asked about them.
func (c *catalog) keyspace(ctx context.Context, name string) (all []Found, err error) {
	for _, from := range []struct {
		kind Kind
		cql  string
	}{
		{Plain, "SELECT table_name, flags FROM system_schema.tables WHERE keyspace_name = ?"},
		{View, "SELECT view_name, keyspace_name FROM system_schema.views WHERE keyspace_name = ?"},
		{Virtual, "SELECT table_name, keyspace_name FROM system_virtual_schema.tables WHERE keyspace_name = ?"},
	} {
		iter := c.session.Query(from.cql, name).WithContext(ctx).Consistency(gocql.One).Iter()
		var table, unused string
		var flags []string
		to := []any{&table, &unused}
		if from.kind == Plain {
			to[1] = &flags
		}
		for iter.Scan(to...) {
			all = append(all, Found{Name{name, table}, from.kind, slices.Contains(flags, "counter")})
		}
		if err := iter.Close(); err != nil && from.kind != Virtual {
			return nil, err
		}
	}
	slices.SortFunc(all, func(a, b Found) int { return strings.Compare(a.Table, b.Table) })
	return all, nil
}
