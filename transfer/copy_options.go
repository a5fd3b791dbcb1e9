package transfer

import (
	"errors"
	"fmt"

	"github.com/rxcql/rxcql/sink"
)

// CopyOption is an option of Copy.
type CopyOption interface{ applyCopy(*copyConfig) error }

// copyConfig has the options of Copy.
type copyConfig struct {
	config
	create    bool
	counters  bool
	lossy     bool
	renames   map[string]string // a column of the source to its name at the target
	drops     []string
	constants []constantOption

	timesOptions []sink.TimesOption
}

// copyOption is an option of Copy only.
type copyOption func(*copyConfig) error

func (o copyOption) applyCopy(c *copyConfig) error { return o(c) }

// Create makes what is missing at the target before anything is copied: user-defined types, the
// table with its clustering order and options, and its indexes. What exists stays as it is, and is
// compared. The keyspace must exist, since how it is replicated is a matter of the cluster.
// Materialized views and triggers are not made; the plan and the report name them.
//
// A view, or a virtual table, becomes a table with its columns. Options that the target's server
// does not have are left out, and named. An index whose name another table of the keyspace has
// already gets the name of the table before its own.
func Create() CopyOption {
	return copyOption(func(c *copyConfig) error {
		c.create = true
		return nil
	})
}

// Rename copies a column to one of another name. Diff and Repair compare the two; they need no such
// word for columns of the primary key, which they match by position. Names are exactly as the
// schema spells them.
func Rename(from, to string) interface {
	CopyOption
	CompareOption
} {
	return rename{from, to}
}

type rename struct{ from, to string }

func (r rename) applyCopy(c *copyConfig) error     { return r.add(&c.renames) }
func (r rename) applyDiff(c *diffConfig) error     { return r.add(&c.renamed) }
func (r rename) applyRepair(c *repairConfig) error { return r.add(&c.renamed) }

func (r rename) add(to *map[string]string) error {
	if r.from == "" || r.to == "" {
		return errors.New("Rename: a name is empty")
	}
	if _, twice := (*to)[r.from]; twice {
		return fmt.Errorf("Rename: column %q is renamed twice", r.from)
	}
	if *to == nil {
		*to = map[string]string{}
	}
	(*to)[r.from] = r.to
	return nil
}

// Drop leaves columns of the source out. Columns of its primary key cannot be left out: rows would
// become one.
func Drop(columns ...string) CopyOption {
	return copyOption(func(c *copyConfig) error {
		if len(columns) == 0 {
			return errors.New("Drop(): name at least one column")
		}
		c.drops = append(c.drops, columns...)
		return nil
	})
}

// constantOption is a value for a column that the source does not have.
type constantOption struct {
	column, cqlType string
	value           any
}

// Constant gives a column of the target the same value in every row. The column is one that no
// column of the source is copied to; it may be part of the primary key. cqlType is its type, such
// as "text", or "" if the target has the column already. The value is a Go value that fits the type
// as it would in a field (see package source), or a string for any other type: that is read as in a
// file (source.CSV). nil is null. Values are kept out of errors, plans and reports.
func Constant(column, cqlType string, value any) CopyOption {
	return copyOption(func(c *copyConfig) error {
		if column == "" {
			return errors.New("Constant: the column has no name")
		}
		c.constants = append(c.constants, constantOption{column, cqlType, value})
		return nil
	})
}

// Counters copies a table of counters: each counter of the target is increased by the value that
// the source has. The target must have no rows, and nothing else may count there meanwhile.
//
// Such a copy cannot go on from a checkpoint, and no update is sent again whose outcome is not
// known: it could count twice. If that happens the run ends with rxcql.ErrUnknownOutcome: empty the
// target (TRUNCATE) and copy again.
func Counters() CopyOption {
	return copyOption(func(c *copyConfig) error {
		c.counters = true
		return nil
	})
}

// Lossy lets a copy, or a Repair, go on where values or expiry would not arrive as they are: with
// WithTimes, those of which the server does not tell times; without it too, columns whose masks are
// read. See Plan.Lossy. Without it such a job is refused before anything is written. A Repair
// refuses masks with it too.
func Lossy() interface {
	CopyOption
	RepairOption
} {
	return lossy{}
}

type lossy struct{}

func (lossy) applyCopy(c *copyConfig) error {
	c.lossy = true
	return nil
}

func (lossy) applyRepair(c *repairConfig) error {
	c.lossy = true
	return nil
}

// TimesOptions passes options on to sink.Times, such as sink.Markers and sink.MarkerTime. They need
// WithTimes.
func TimesOptions(opts ...sink.TimesOption) interface {
	CopyOption
	RepairOption
} {
	return timesOptions(opts)
}

type timesOptions []sink.TimesOption

func (o timesOptions) applyCopy(c *copyConfig) error {
	c.timesOptions = append(c.timesOptions, o...)
	return nil
}

func (o timesOptions) applyRepair(c *repairConfig) error {
	c.timesOptions = append(c.timesOptions, o...)
	return nil
}
