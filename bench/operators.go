package main

import (
	"context"
	"fmt"
)

var operatorsFigure = figure{
	name:  "operators",
	title: "what three operators add, over rows in memory",
	run: func(ctx context.Context, b *bench) (*table, error) {
		libraries := []struct{ label, child string }{
			{"rxcql: Map, Filter, Map", operatorsToolkit},
			{"rxgo, item by item, unbuffered", operatorsRxgo},
			{"rxgo, item by item, buffered 1024", operatorsRxgoBuffered},
			{"samber/ro: Pipe3", operatorsRo},
			{"destel/rill: one goroutine a stage", operatorsRill},
			{"by hand: the same functions in three loops", operatorsHand},
		}
		var with, bare []contender
		for _, l := range libraries {
			j := job{Rows: 4 * b.rows / operatorPage * operatorPage}
			with = append(with, contender{label: l.label, child: l.child, job: j})
			j.Bare = true
			bare = append(bare, contender{label: l.label + ", no operators", child: l.child, job: j})
		}
		runs, err := b.duel(ctx, "operators", with)
		if err != nil {
			return nil, err
		}
		baseRuns, err := b.duel(ctx, "operators-bare", bare)
		if err != nil {
			return nil, err
		}
		added := func(i int) []outcome {
			all := make([]outcome, len(runs[i]))
			for k, o := range runs[i] {
				o.PerRow -= baseRuns[i][k].PerRow
				all[k] = o
			}
			return all
		}
		ours := added(0)
		t := &table{columns: []string{"library", "added by the operators, CPU ns a row", "times rxcql", "source and end alone, CPU ns a row", "allocations a row, all"}}
		for i, l := range libraries {
			times := "1"
			if i > 0 {
				times = "**" + ratio(added(i), ours, perRow).in("%.1f", 1) + "**"
			}
			t.add(l.label, each(added(i), perRow).in("%.1f", 1e-9), times, each(baseRuns[i], perRow).in("%.1f", 1e-9),
				fmt.Sprintf("%.2f", float64(runs[i][0].Mallocs)/float64(with[i].job.Rows)))
		}
		return t, b.smallRows(ctx, t)
	},
}

// smallRows adds the toolkit's figure for rows of 8 bytes: what is left when
// there is next to nothing to copy.
func (b *bench) smallRows(ctx context.Context, t *table) error {
	j := job{Rows: 4 * b.rows / operatorPage * operatorPage}
	with, err := b.duel(ctx, "operators-small", []contender{{label: "rxcql, rows of 8 bytes", child: operatorsSmall, job: j}})
	if err != nil {
		return err
	}
	j.Bare = true
	bare, err := b.duel(ctx, "operators-small-bare", []contender{{label: "rxcql, rows of 8 bytes, no operators", child: operatorsSmall, job: j}})
	if err != nil {
		return err
	}
	added := make([]outcome, len(with[0]))
	for k, o := range with[0] {
		o.PerRow -= bare[0][k].PerRow
		added[k] = o
	}
	t.add("rxcql, rows of 8 bytes", each(added, perRow).in("%.1f", 1e-9), "–", each(bare[0], perRow).in("%.1f", 1e-9),
		fmt.Sprintf("%.2f", float64(with[0][0].Mallocs)/float64(j.Rows)))
	return nil
}

// operatorPage is the number of rows that are in memory, read over and over.
const operatorPage = 512

func operatorRows() []event {
	rows := make([]event, operatorPage)
	for i := range rows {
		rows[i] = eventAt(int64(i))
	}
	return rows
}

// inMemory makes a contender that needs no server.
func inMemory(run func(ctx context.Context, rows []event, j job) (tally, error)) work {
	return func(ctx context.Context, j job) (func() (tally, error), func(), error) {
		rows := operatorRows()
		return func() (tally, error) { return run(ctx, rows, j) }, func() {}, nil
	}
}

// countEvent is the end where there are no operators.
func (t *tally) countEvent(e event) {
	t.Rows++
	t.Sum += e.At
}
