package transfer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// copyCounters increases the counters of an empty table by those of the source. Static counters
// come with every row of their partition and must be counted once: they are a step of their own, in
// which a range that cannot be read at once ends the run.
func (j *CopyJob) copyCounters(ctx context.Context, p *prepared, rep *CopyReport) error {
	if err := j.empty(ctx, p.to); err != nil {
		return err
	}
	var err error
	var left atomic.Int64
	defer func() { rep.StaticsOnly = left.Load() }()
	statics := p.mapping.of(schema.Static)
	if columns := p.mapping.of(schema.Regular); len(columns) > 0 {
		rows := reshape(j.rows(p.from, p.mapping.without(schema.Static).reads()), p.mapping.without(schema.Static), nil)
		if len(p.from.ClusteringKey) > 0 { // a partition that has static columns only
			rows = operators.Filter(rows, func(row rxcql.Row) bool {
				has := hasAll(row, p.to.ClusteringKey)
				if !has && len(statics) == 0 { // else the second step looks at it
					left.Add(1)
				}
				return has
			})
		}
		if rep.Report, err = j.count(ctx, p, rows, columns, p.to.ClusteringKey); err != nil || rep.EndedBy != "" {
			return err
		}
	}
	if len(statics) > 0 {
		partitions := p.mapping.without(schema.Regular).without(schema.Clustering)
		in := source.Table[rxcql.Row](j.from.Session, j.from.quoted(), j.cfg.inPartitions(source.Columns(partitions.reads()...))...)
		whole := operators.Filter(reshape(in, partitions, nil), func(row rxcql.Row) bool {
			has := hasAll(row, p.to.PartitionKey) // not so if a partition becomes several, and has no rows
			if !has {
				left.Add(1)
			}
			return has
		})
		rows := operators.DistinctAdjacent(whole, func(row rxcql.Row) string { return partitionOf(row, p.to.PartitionKey) })
		second, err := j.count(ctx, p, rows, statics, nil)
		if len(p.mapping.of(schema.Regular)) == 0 {
			rep.Report = second
			return err
		}
		rep.StaticCounters = &second
		rep.Complete, rep.EndedBy = second.Complete, second.EndedBy
		return err
	}
	return nil
}

// count runs the updates for some of the counters. The key is the partition key and the clustering
// columns that are given.
func (j *CopyJob) count(ctx context.Context, p *prepared, rows rxcql.Stream[rxcql.Row], counters, clustering []schema.Column) (rxcql.Report, error) {
	var sets, wheres, names []string
	for _, c := range counters {
		name := schema.Quote(c.Name)
		sets, names = append(sets, name+" = "+name+" + ?"), append(names, c.Name)
	}
	for _, key := range [][]schema.Column{p.to.PartitionKey, clustering} {
		for _, c := range key {
			wheres, names = append(wheres, schema.Quote(c.Name)+" = ?"), append(names, c.Name)
		}
	}
	bind := func(row rxcql.Row) ([]any, error) {
		args := make([]any, len(names))
		for i, name := range names {
			args[i] = gocql.UnsetValue // a counter that has no value is not increased
			if value, _ := row.Lookup(name); value != nil {
				args[i] = encoded(value)
			}
		}
		return args, nil
	}
	var opts []sink.ExecOption
	for _, opt := range j.cfg.writes() {
		opts = append(opts, opt)
	}
	out := sink.Exec(j.to.Session, "UPDATE "+j.to.quoted()+" SET "+strings.Join(sets, ", ")+" WHERE "+strings.Join(wheres, " AND "), bind, opts...)
	rows = operators.Filter(rows, func(row rxcql.Row) bool { return hasAny(row, counters) })
	pipeline, err := rxcql.New(throttled(rows, &j.cfg.config), out, j.cfg.unsaved()...)
	if err != nil {
		return rxcql.Report{}, err
	}
	rep, err := j.run(ctx, pipeline)
	if err != nil {
		err = fmt.Errorf("counters of %s are not all copied, and copying again would count twice: empty it (TRUNCATE %s) and begin anew: %w",
			j.to, j.to.quoted(), err)
	}
	return rep, err
}

// encoded is a value as the server has it.
type encoded []byte

// MarshalCQL returns the bytes.
func (e encoded) MarshalCQL(gocql.TypeInfo) ([]byte, error) { return e, nil }

var errNotEmpty = errors.New("the target has rows already, and counters are added to what is there: empty it first (TRUNCATE), or leave it out")

// empty returns an error if the target has a row.
func (j *CopyJob) empty(ctx context.Context, to *schema.Table) error {
	found := false
	st := driver.Statement{
		CQL:         "SELECT " + schema.Quote(to.PartitionKey[0].Name) + " FROM " + to.Quoted() + " LIMIT 1",
		Consistency: j.cfg.read, Idempotent: true,
	}
	err := rxcql.Retry(ctx, driver.MayPass, func() error {
		return j.to.session.Each(ctx, st, func(string, [][]byte) error {
			found = true
			return nil
		})
	})
	if err == nil && found {
		err = errNotEmpty
	}
	if err != nil {
		return fmt.Errorf("target %s: %w", j.to, err)
	}
	return nil
}

// of returns the columns of the target that are of a kind and get values of the source.
func (m *mapping) of(kind schema.Kind) (columns []schema.Column) {
	for _, c := range m.columns {
		if c.to.Kind == kind {
			columns = append(columns, c.to)
		}
	}
	return columns
}

// without returns the mapping without the columns that are of a kind at the target.
func (m *mapping) without(kind schema.Kind) *mapping {
	rest := &mapping{}
	for _, c := range m.columns {
		if c.to.Kind != kind {
			rest.columns = append(rest.columns, c)
		}
	}
	for _, c := range m.constants {
		if c.to.Kind != kind {
			rest.constants = append(rest.constants, c)
		}
	}
	return rest
}

func hasAll(row rxcql.Row, columns []schema.Column) bool {
	for _, c := range columns {
		if value, _ := row.Lookup(c.Name); value == nil {
			return false
		}
	}
	return true
}

func hasAny(row rxcql.Row, columns []schema.Column) bool {
	return slices.ContainsFunc(columns, func(c schema.Column) bool {
		value, _ := row.Lookup(c.Name)
		return value != nil
	})
}

// partitionOf returns the partition key in a form that is equal only for equal keys.
func partitionOf(row rxcql.Row, key []schema.Column) string {
	var b strings.Builder
	for _, c := range key {
		value, _ := row.Lookup(c.Name)
		fmt.Fprintf(&b, "%d:", len(value))
		b.Write(value)
	}
	return b.String()
}
