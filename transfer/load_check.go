package transfer

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/schema"
)

// maxTTL is the longest time to live that servers take: 20 years, in seconds.
const maxTTL = 20 * 365 * 24 * 60 * 60

// rowChecks are the places, in a row of files, of what is checked in each row.
type rowChecks struct {
	names      []string // of all columns of the row
	keys       []int    // of columns that are never null
	ttl, stamp int      // -1 for none
	needsStamp bool     // all rows must have one
	stampName  string
	timed      []timedPlace
}

// timedPlace is where a value and its write time are.
type timedPlace struct{ value, time int }

func (f *rowsOfFiles) checksOf(columns *rxcql.Columns) rowChecks {
	c := rowChecks{ttl: -1, stamp: -1, needsStamp: f.columns.stamp != "", stampName: f.columns.stamp}
	at := map[string]int{}
	for i, col := range columns.List() {
		c.names, at[col.Name] = append(c.names, col.Name), i
	}
	for i, name := range c.names {
		switch name {
		case f.columns.ttl:
			c.ttl = i
		case f.columns.stamp:
			c.stamp = i
		}
		if about, known := f.about.Column(f.columns.names[name]); known && f.neverNull(about) {
			c.keys = append(c.keys, i)
		}
		if time, has := at["writetime("+name+")"]; has && f.columns.times {
			c.timed = append(c.timed, timedPlace{i, time})
		}
	}
	return c
}

// neverNull reports whether each row must have the column. The static columns of a partition may
// come without the clustering key.
func (f *rowsOfFiles) neverNull(c schema.Column) bool {
	statics := slices.ContainsFunc(f.about.Columns, func(c schema.Column) bool { return c.Kind == schema.Static })
	return c.Kind == schema.PartitionKey || c.Kind == schema.Clustering && !statics
}

// check refuses a row of the files that cannot become one of the table. The error names columns of
// the files, and holds no value.
func (f *rowsOfFiles) check(r rxcql.Row) error { return f.of(r.Columns()).refuse(r) }

func (to *madeColumns) refuse(r rxcql.Row) error {
	c := &to.checks
	if to.wrong != nil {
		return to.wrong
	}
	for _, i := range c.keys {
		if r.Bytes(i) == nil {
			return fmt.Errorf("column %q is null, and it is of the primary key", c.names[i])
		}
	}
	if c.ttl >= 0 {
		if seconds := int64Of(r.Bytes(c.ttl)); seconds < 0 || seconds > maxTTL {
			return fmt.Errorf("column %q: a time to live must be whole seconds, from 0 to %d (20 years)", c.names[c.ttl], maxTTL)
		}
	}
	if c.needsStamp && (c.stamp < 0 || int64Of(r.Bytes(c.stamp)) <= 0) {
		return fmt.Errorf("column %q: a row needs a write time, in microseconds since 1970, above 0", c.stampName)
	}
	for _, t := range c.timed {
		if r.Bytes(t.value) != nil && r.Bytes(t.time) == nil {
			return fmt.Errorf("column %q has a value and no write time: give one in column %q, in microseconds since 1970",
				c.names[t.value], c.names[t.time])
		}
	}
	return nil
}

// int64Of reads a bigint; 0 if it is null.
func int64Of(cell []byte) int64 {
	if len(cell) != 8 {
		return 0
	}
	return int64(binary.BigEndian.Uint64(cell))
}

// timed returns an error if rows have values without columns for their times, which WithTimes
// needs.
func (f *rowsOfFiles) timed(columns *rxcql.Columns) error {
	if !f.columns.times {
		return nil
	}
	has := map[string]bool{}
	for _, c := range columns.List() {
		has[c.Name] = true
	}
	var errs []error
	for _, c := range columns.List() {
		time, expires := "writetime("+c.Name+")", "expires("+c.Name+")"
		_, isTimed := f.columns.names[time]
		if !isTimed || has[time] && has[expires] {
			continue
		}
		if f.lines {
			errs = append(errs, fmt.Errorf("column %q has no times: the record needs %q and %q too", c.Name, time, expires))
			continue
		}
		errs = append(errs, fmt.Errorf("%w: column %q has no times: WithTimes needs the columns %q and %q too, as an unload with it writes them",
			rxcql.ErrSchema, c.Name, time, expires))
	}
	return errors.Join(errs...)
}
