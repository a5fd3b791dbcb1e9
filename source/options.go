package source

import (
	"errors"
	"fmt"
	"slices"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
)

// QueryOption is an option of Query.
type QueryOption interface{ applyQuery(*readConfig) error }

// TableOption is an option of Table.
type TableOption interface{ applyTable(*readConfig) error }

// RangeOption is an option of the sources that read by token ranges: Table and TablePair.
type RangeOption interface {
	TableOption
	PairOption
}

// ReadOption is an option of the sources that read Cassandra.
type ReadOption interface {
	QueryOption
	TableOption
	PairOption
	TailOption
}

// readConfig has the options of the sources that read Cassandra.
type readConfig struct {
	args        []any
	columns     []string
	consistency *gocql.Consistency
	maxRows     int
	splits      int
	shard, of   int
	only        only
	rate        *rxcql.Rate // of requests; nil for no limit
	times       bool        // see Times
	adaptive    bool        // see AdaptiveSplits
}

// maxPageRows is the most rows asked for in a page, however small they are.
const maxPageRows = 10_000

func newReadConfig() readConfig { return readConfig{maxRows: maxPageRows, of: 1} }

type bind []any

// Bind sets the values of a query's bind markers, in order. They are encoded as those of sink.Exec,
// and kept out of errors, logs and reports.
func Bind(args ...any) QueryOption { return bind(args) }

func (b bind) applyQuery(c *readConfig) error {
	c.args = append(c.args, b...)
	return nil
}

type consistency gocql.Consistency

// Consistency sets the consistency of the reads. Default: the session's.
func Consistency(c gocql.Consistency) ReadOption { return consistency(c) }

func (o consistency) set(c *readConfig) error {
	level := gocql.Consistency(o)
	if level > gocql.LocalOne {
		return fmt.Errorf("Consistency(%d): no such level", uint16(level))
	}
	c.consistency = &level
	return nil
}

func (o consistency) applyQuery(c *readConfig) error { return o.set(c) }
func (o consistency) applyTable(c *readConfig) error { return o.set(c) }

type columns []string

// Columns names the columns that a table source reads, exactly as the schema spells them. It is
// required if T is a single value. It is optional for rxcql.Row, which reads all columns without
// it. A struct names its own columns. New reports a name that is given twice.
func Columns(names ...string) ColumnOption { return columns(names) }

func (o columns) applyTable(c *readConfig) error {
	if len(o) == 0 {
		return errors.New("Columns(): name at least one")
	}
	for _, name := range o {
		if slices.Contains(c.columns, name) {
			return fmt.Errorf("Columns: %q is named twice: name each column once", name)
		}
		c.columns = append(c.columns, name)
	}
	return nil
}

type splits int

// Splits sets the least number of token ranges that a table is read in; every token of the ring is
// a border in addition. Default 64, from 1 to 1,048,576. With more ranges less is read again when a
// job goes on, and each range costs a request.
func Splits(n int) RangeOption { return splits(n) }

func (n splits) applyTable(c *readConfig) error {
	if n < 1 || n > 1<<20 {
		return fmt.Errorf("Splits(%d): must be from 1 to 1048576", int(n))
	}
	c.splits = int(n)
	return nil
}

type shard struct{ i, n int }

// Shard reads only share i of n of the table, i from 0 to n-1. The shares are disjoint, and
// together they are the table, as long as every process gives the same n: a share is the same
// tokens whatever the Splits and the nodes are.
func Shard(i, n int) RangeOption { return shard{i, n} }

func (s shard) applyTable(c *readConfig) error {
	if s.n < 1 || s.i < 0 || s.i >= s.n {
		return fmt.Errorf("Shard(%d, %d): the share must be from 0 to n-1", s.i, s.n)
	}
	c.shard, c.of = s.i, s.n
	return nil
}
