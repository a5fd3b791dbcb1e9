package sink

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/schema"
)

// timedPlan is how rows with certain columns are written with their times.
type timedPlan struct {
	plan    *plan // of batches: the table and its partition key
	keys    []int // for each column of the primary key, the row's column
	whole   bool  // rows have the clustering columns too
	static  timedSide
	regular timedSide
}

// timedSide is the static columns, or the regular ones.
type timedSide struct {
	columns []timedTarget
	timedStatements
}

// timedTarget is a column that is written.
type timedTarget struct {
	schema.Column
	value         int  // of the row's columns
	time, expires int  // of the row's columns; -1 if the row has no times for it
	list          bool // these have a time for each element
	parts         bool // the table has a time for each element
	slot          int  // the first one
}

// newTimedPlan makes the plan for rows with certain columns. names are those to write, nil for all
// that are no times of others.
func newTimedPlan(table *schema.Table, names []string, cfg *timesConfig, o planOptions, cols []rxcql.Column) (*timedPlan, error) {
	index := map[string]int{}
	for i, c := range cols {
		index[c.Name] = i
	}
	var errs []error
	if names == nil {
		for _, c := range cols {
			if of := timeOfColumn(c.Name); of == "" || !has(index, of) {
				names = append(names, c.Name)
			}
		}
	}
	for _, name := range slices.Concat(names, cfg.untimed) {
		if !has(index, name) {
			errs = append(errs, fmt.Errorf("the rows have no column %q%s", name, near(name, namesOf(cols))))
		}
	}
	chosen, err := choose(table, names, planOptions{used: o.used})
	errs = append(errs, err)
	p := &timedPlan{plan: &plan{table: table, parts: len(table.PartitionKey)}}
	for _, c := range chosen {
		at, found := index[c.Name]
		if !found {
			continue
		}
		if got := cols[at].Type; !sameBytes(got, c.Type) {
			errs = append(errs, fmt.Errorf("column %q (%s) and the row's column (%s): the bytes of one are not a value of the other",
				c.Name, c.Type, got))
		}
		side := &p.regular
		switch c.Kind {
		case schema.PartitionKey, schema.Clustering:
			p.keys = append(p.keys, at)
			continue
		case schema.Static:
			side = &p.static
		}
		target := timedTarget{Column: c, value: at, parts: inParts(c.Type)}
		errs = append(errs, target.find(cols, index, cfg))
		side.add(target)
	}
	if err := mismatch(table, errs...); err != nil {
		return nil, err
	}
	p.whole = len(p.keys) == len(table.PartitionKey)+len(table.ClusteringKey)
	p.static.begin(table, o.same, table.PartitionKey)
	p.regular.begin(table, o.same, slices.Concat(table.PartitionKey, table.ClusteringKey))
	return p, nil
}

// find finds the columns that have the times of a column.
func (t *timedTarget) find(cols []rxcql.Column, index map[string]int, cfg *timesConfig) error {
	t.time, t.expires = -1, -1
	time, hasTime := index[timePrefix+t.Name+")"]
	expires, hasExpires := index[expiresPrefix+t.Name+")"]
	switch {
	case hasTime != hasExpires:
		return fmt.Errorf("column %q: the rows have one of writetime(%[1]s) and expires(%[1]s), and not the other: give both, or none", t.Name)
	case !hasTime && (cfg.lossy || slices.Contains(cfg.untimed, t.Name)):
		return nil
	case !hasTime:
		return fmt.Errorf("column %q (%s): the rows have no times for it, so it would get a guessed time and expiry: "+
			"give Untimed if you have added it, or Lossy if the server that was read cannot tell them", t.Name, t.Type)
	}
	t.time, t.expires = time, expires
	t.list = cols[time].Type.Kind == codec.List
	for _, at := range []int{time, expires} {
		typ := cols[at].Type
		if t.list && typ.Kind == codec.List {
			typ = typ.Elems[0]
		}
		if typ.Kind != codec.Bigint {
			return fmt.Errorf("the row's column %q is %s: times are a bigint, or a list<bigint> with one for each element", cols[at].Name, cols[at].Type)
		}
	}
	if t.list && !hasParts(t.Type) {
		return fmt.Errorf("the row's column %q is %s, and %q (%s) has no elements", cols[time].Name, cols[time].Type, t.Name, t.Type)
	}
	return nil
}

// inParts reports whether each element of a column has a time of its own.
func inParts(t *codec.Type) bool { return !t.Frozen && hasParts(t) }

func hasParts(t *codec.Type) bool {
	switch t.Kind {
	case codec.List, codec.Set, codec.Map, codec.UDT:
		return true
	}
	return false
}

const (
	timePrefix    = "writetime("
	expiresPrefix = "expires("
)

// timeOfColumn returns the column of which a column of this name has times, "" if it has none.
func timeOfColumn(name string) string {
	for _, prefix := range []string{timePrefix, expiresPrefix} {
		if rest, is := strings.CutPrefix(name, prefix); is {
			if of, is := strings.CutSuffix(rest, ")"); is {
				return of
			}
		}
	}
	return ""
}

func has(index map[string]int, name string) bool {
	_, is := index[name]
	return is
}

func namesOf(cols []rxcql.Column) []string {
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = c.Name
	}
	return names
}

// timesNeedRow refuses Times for rows that have no room for times.
func timesNeedRow[T any](c *tableConfig) error {
	if c.times == nil || isRow[T]() {
		return nil
	}
	return fmt.Errorf("Times: rows must be rxcql.Row, which has room for the times, and not %s", typeName[T]())
}

// checkTimes refuses options that cannot be combined with Times.
func (c *tableConfig) checkTimes() error {
	if c.times == nil {
		return nil
	}
	var errs []error
	for _, o := range []struct {
		given bool
		name  string
	}{
		{c.delete, "Delete"}, {c.nullsDelete, "NullsDelete"}, {c.ttl > 0, "TTL"}, {c.ttlOf != nil, "TTLOf"}, {c.timestamp != nil, "TimestampOf"},
	} {
		if o.given {
			errs = append(errs, fmt.Errorf("Times and %s: rows have their own times; leave one out", o.name))
		}
	}
	return errors.Join(errs...)
}
