package main

import (
	"context"
	"fmt"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

var adjacentFigure = figure{
	name:  "adjacent",
	title: "WindowAdjacent over a table whose partitions are in time order, against the scan alone",
	run: func(ctx context.Context, b *bench) (*table, error) {
		t := &table{columns: []string{"rows", "the scan, CPU ns a row", "with windows of ten rows, CPU ns a row", "ratio", "wanted", "peak RSS, MB", "ratio to the small one", "wanted"}}
		var small []outcome
		for _, rows := range []int64{b.rows, 10 * b.rows} {
			name, err := b.samples(ctx, rows)
			if err != nil {
				return nil, err
			}
			j := job{Keyspace: b.server.keyspace, Table: name, Rows: rows, Budget: memoryBudget}
			runs, err := b.duel(ctx, fmt.Sprintf("adjacent-%d", rows), []contender{
				{label: name, child: scanMemory, job: j},
				{label: name + ", WindowAdjacent", child: adjacentWindows, job: j},
			})
			if err != nil {
				return nil, err
			}
			against, wanted := "1", "< 64 MB"
			if small == nil {
				small = runs[1]
			} else {
				against, wanted = "**"+ratio(runs[1], small, peak).ratio()+"**", "< 64 MB, within 10 %"
			}
			t.add(fmt.Sprint(rows), each(runs[0], perRow).nanos(), each(runs[1], perRow).nanos(),
				"**"+ratio(runs[1], runs[0], perRow).ratio()+"**", "≤ 1.10", each(runs[1], peak).megabytes(), against, wanted)
		}
		return t, nil
	},
}

// adjacentWindows is the scan of scanMemory, by windows.
var adjacentWindows = register("adjacent", func(ctx context.Context, j job) (func() (tally, error), func(), error) {
	session, err := connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	return func() (tally, error) {
		samples := source.Table[sample](session, j.Keyspace+"."+j.Table)
		windows := operators.WindowAdjacent(samples, operators.Tumbling(10*time.Second),
			func(s sample) time.Time { return time.Unix(int64(s.Seq), 0) }, func(s sample) int32 { return s.Series }, zero,
			func(sum int64, s sample) (int64, error) { return sum + s.Value, nil })
		var t tally
		report, err := windows.ForEach(ctx, func(r operators.WindowResult[int32, int64]) error {
			t.Rows += r.Rows
			t.Sum += r.Value
			return nil
		}, rxcql.WithWorkers(scanWorkers), rxcql.WithBudget(j.Budget))
		if err == nil && t.Rows != j.Rows {
			err = fmt.Errorf("%d rows read, not %d: %s", t.Rows, j.Rows, report)
		}
		return t, err
	}, session.Close, nil
})
