package transfer

import (
	"errors"
	"fmt"
	"slices"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/internal/widen"
)

// mapping says which column of the source goes to which of the target.
type mapping struct {
	columns   []mappedColumn
	constants []constantColumn
	// once: static columns belong to the same partitions on both sides, so they need not be written
	// with every row.
	once bool
	// homeless: a partition that has static columns only may have no place at the target.
	homeless bool
}

// mappedColumn is a column of the source and the one of the target that gets its values.
type mappedColumn struct {
	from, to schema.Column
	widen    widen.Func // nil if the bytes stay as they are
}

// constantColumn is a column of the target that gets the same value in every row.
type constantColumn struct {
	to    schema.Column
	value []byte // nil for null
}

// plain reports whether rows go to the target as they were read.
func (m *mapping) plain() bool {
	return len(m.constants) == 0 && !m.once && !m.homeless &&
		!slices.ContainsFunc(m.columns, func(c mappedColumn) bool { return c.widen != nil || c.from.Name != c.to.Name })
}

// reads returns the columns that are read, in the order of the source.
func (m *mapping) reads() []string {
	names := make([]string, len(m.columns))
	for i, c := range m.columns {
		names[i] = c.from.Name
	}
	return names
}

// writes returns the columns that are written, in the order of the rows.
func (m *mapping) writes() (columns []schema.Column) {
	for _, c := range m.columns {
		columns = append(columns, c.to)
	}
	for _, c := range m.constants {
		columns = append(columns, c.to)
	}
	return columns
}

// resolve compares the columns of both tables as the options say. The error has all that is wrong.
func (c *copyConfig) resolve(from, to *schema.Table) (*mapping, error) {
	m := &mapping{}
	taken := map[string]string{} // columns of the target, and what they get
	errs := []error{c.known(from)}
	for _, col := range from.Columns {
		name, copied := c.target(col.Name)
		if !copied {
			continue
		}
		if by, twice := taken[name]; twice {
			errs = append(errs, fmt.Errorf("column %q of the target gets both %q and %q of the source: rename or drop one of them", name, by, col.Name))
			continue
		}
		taken[name] = col.Name
		there, found := to.Column(name)
		if !found {
			errs = append(errs, fmt.Errorf("the target has no column %q%s for %q of the source: add it there, or rename or drop %q",
				name, schema.Meant(name, to.ColumnNames()), col.Name, col.Name))
			continue
		}
		wide, err := widen.New(col.Type, there.Type)
		if err != nil {
			errs = append(errs, fmt.Errorf("column %q: %w; drop it, or copy with a program of your own that converts it", name, err))
		}
		errs = append(errs, fits(col, there))
		m.columns = append(m.columns, mappedColumn{col, there, wide})
	}
	for _, o := range c.constants {
		if by, twice := taken[o.column]; twice {
			errs = append(errs, fmt.Errorf("Constant: column %q gets %s already", o.column, by))
			continue
		}
		taken[o.column] = "a constant"
		there, found := to.Column(o.column)
		if !found {
			errs = append(errs, fmt.Errorf("Constant: the target has no column %q%s", o.column, schema.Meant(o.column, to.ColumnNames())))
			continue
		}
		value, err := o.encode(there)
		errs = append(errs, err)
		m.constants = append(m.constants, constantColumn{there, value})
	}
	for _, key := range slices.Concat(to.PartitionKey, to.ClusteringKey) {
		if taken[key.Name] == "" {
			errs = append(errs, fmt.Errorf("column %q of the target's primary key gets no value: rename a column to it, or give a Constant", key.Name))
		}
	}
	errs = append(errs, m.statics(from))
	return m, errors.Join(errs...)
}

// known checks the columns of the source that options name.
func (c *copyConfig) known(from *schema.Table) error {
	var errs []error
	check := func(option, name string) (col schema.Column) {
		col, found := from.Column(name)
		if !found {
			errs = append(errs, fmt.Errorf("%s: the source has no column %q%s", option, name, schema.Meant(name, from.ColumnNames())))
		}
		return col
	}
	for _, name := range c.drops {
		if col := check("Drop", name); isKey(col) && col.Name != "" {
			errs = append(errs, fmt.Errorf("Drop: %q is of the primary key: without it rows would become one", name))
		}
		if _, renamed := c.renames[name]; renamed {
			errs = append(errs, fmt.Errorf("column %q is both dropped and renamed: do one of them", name))
		}
	}
	for name := range c.renames {
		check("Rename", name)
	}
	return errors.Join(errs...)
}

// target returns the name that a column of the source has at the target; false if it is dropped.
func (c *copyConfig) target(name string) (string, bool) {
	if slices.Contains(c.drops, name) {
		return "", false
	}
	if to, renamed := c.renames[name]; renamed {
		return to, true
	}
	return name, true
}

func isKey(c schema.Column) bool {
	return c.Kind == schema.PartitionKey || c.Kind == schema.Clustering
}

// fits returns an error if rows, or values of several rows, would become one.
func fits(from, to schema.Column) error {
	switch {
	case isKey(from) && !isKey(to):
		return fmt.Errorf("column %q is of the source's primary key and not of the target's: rows would become one", from.Name)
	case from.Kind == schema.Static && isKey(to):
		return fmt.Errorf("column %q is static, and %q is of the target's primary key: a partition may have no rows", from.Name, to.Name)
	case from.Kind == schema.Regular && to.Kind == schema.Static:
		return fmt.Errorf("column %q has a value for each row, and %q is static at the target: one value for each partition", from.Name, to.Name)
	}
	return nil
}

// statics finds out whether static columns belong to the same partitions on both sides, and whether
// a partition that has nothing else may have no place. The error says that those of several
// partitions would become one.
func (m *mapping) statics(from *schema.Table) error {
	for _, c := range from.Columns {
		stays := func(to mappedColumn) bool { return to.from.Name == c.Name && to.to.Kind == schema.Static }
		m.homeless = m.homeless || c.Kind == schema.Static && !slices.ContainsFunc(m.columns, stays)
	}
	if !slices.ContainsFunc(m.columns, func(c mappedColumn) bool { return c.to.Kind == schema.Static }) {
		return nil
	}
	m.once = true
	for _, c := range m.columns {
		switch {
		case c.from.Kind == schema.PartitionKey && c.to.Kind != schema.PartitionKey:
			return fmt.Errorf("column %q is of the partition key at the source only, so static columns of several partitions would become one: drop them",
				c.from.Name)
		case c.from.Kind != schema.PartitionKey && c.to.Kind == schema.PartitionKey:
			// A partition becomes several, and each needs the static columns. One without rows becomes none.
			m.once, m.homeless = false, true
		}
	}
	return nil
}

// encode returns the bytes of a constant. The error does not hold its value.
func (o constantOption) encode(to schema.Column) (value []byte, err error) {
	switch v := o.value.(type) {
	case nil:
		if isKey(to) {
			err = errors.New("a column of the primary key cannot be null")
		}
	case string:
		value, err = codec.ParseText([]byte{}, to.Type, []byte(v))
	default:
		var known bool
		if value, known, err = codec.EncodeValue(to.Type, v); !known {
			err = fmt.Errorf("a %T is no value of %s", v, codec.A(to.Type))
		}
	}
	if err != nil {
		err = fmt.Errorf("Constant: column %q: %w", o.column, err)
	}
	return value, err
}
