package main

import (
	"context"
	"fmt"
	"math"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/source"
)

// memoryBudget is the budget that the scans of the memory figure are given.
const memoryBudget = 16 << 20

// sample is the small row of the memory figure.
type sample struct {
	Series int32 `cql:"series"`
	Seq    int32 `cql:"seq"`
	Value  int64 `cql:"value"`
}

var memoryFigure = figure{
	name:  "memory",
	title: "peak memory does not depend on the size of the table",
	run: func(ctx context.Context, b *bench) (*table, error) {
		t := &table{columns: []string{"scan with WithBudget(16 MiB)", "peak RSS, MB", "ratio to the small one", "wanted", "wall, s"}}
		sizes := []int64{b.rows, 10 * b.rows}
		runs := make([][]outcome, len(sizes))
		for i, rows := range sizes {
			name, err := b.samples(ctx, rows)
			if err != nil {
				return nil, err
			}
			j := job{Keyspace: b.server.keyspace, Table: name, Rows: rows, Budget: memoryBudget}
			all, err := b.duel(ctx, fmt.Sprintf("memory-%d", rows), []contender{{label: name, child: scanMemory, job: j}})
			if err != nil {
				return nil, err
			}
			runs[i] = all[0]
			against := "1"
			if i > 0 {
				against = "**" + ratio(runs[i], runs[0], peak).ratio() + "**"
			}
			wanted := "< 64 MB"
			if i > 0 {
				wanted += ", within 10 %"
			}
			t.add(fmt.Sprintf("%d rows", rows), each(runs[i], peak).megabytes(), against, wanted,
				each(runs[i], func(o outcome) float64 { return o.Wall.Seconds() }).in("%.2f", 1))
		}
		return t, nil
	},
}

// samples makes sure that a table of so many small rows is there.
func (b *bench) samples(ctx context.Context, rows int64) (name string, err error) {
	name = fmt.Sprintf("samples_%d", rows)
	if _, done := b.server.loaded[name]; done {
		return name, nil
	}
	if err := b.server.createSamples(ctx, name); err != nil {
		return "", err
	}
	progress("  loading %d rows into %s", rows, name)
	o, err := b.spawn(ctx, loadSamples, job{Keyspace: b.server.keyspace, Table: name, Rows: rows})
	if err != nil {
		return "", err
	}
	b.server.loaded[name] = o.tally
	return name, nil
}

func (s *server) createSamples(ctx context.Context, table string) error {
	return s.exec(ctx, "CREATE TABLE "+s.keyspace+"."+table+" (series int, seq int, value bigint, PRIMARY KEY (series, seq))")
}

var scanMemory = register("scan-memory", func(ctx context.Context, j job) (func() (tally, error), func(), error) {
	session, err := connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	return func() (tally, error) {
		var t tally
		samples := source.Table[sample](session, j.Keyspace+"."+j.Table)
		report, err := samples.ForEach(ctx, func(s sample) error {
			t.Rows++
			t.Sum += s.Value
			return nil
		}, rxcql.WithWorkers(scanWorkers), rxcql.WithBudget(j.Budget))
		if err == nil && t.Rows != j.Rows {
			err = fmt.Errorf("%d rows read, not %d: %s", t.Rows, j.Rows, report)
		}
		return t, err
	}, session.Close, nil
})

// sampleAt spreads the rows over partitions of a hundred.
func sampleAt(i int64) sample {
	return sample{Series: int32(i / partitionRows), Seq: int32(i % partitionRows), Value: i ^ math.MaxInt32}
}
