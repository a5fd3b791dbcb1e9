package main

import (
	"context"
	"fmt"
)

const (
	// windowsKeys is of how many keys the rows of this figure are.
	windowsKeys = 10_000
	// manyKeys is how many keys the memory of states is measured with, and fewKeys what is
	// subtracted.
	manyKeys = 1_000_000
	fewKeys  = 1_000
)

var windowsFigure = figure{
	name:  "windows",
	title: "windows of event time over rows in memory, of 10,000 keys",
	run: func(ctx context.Context, b *bench) (*table, error) {
		j := job{Rows: 4 * b.rows / operatorPage * operatorPage, Keys: windowsKeys}
		t := &table{columns: []string{
			"windows", "CPU, ns a row", "rows a second and core", "wanted", "by hand, CPU ns a row", "ratio to by hand", "allocations a row",
		}}
		for _, w := range []struct{ label, ours, hand, wanted string }{
			{"Tumbling(1s): a million rows", windowsTumbling, windowsTumblingHand, "≥ 3 M"},
			{"Hopping(1s, 200ms): each row is in 5", windowsHopping, "", ""},
			{"Session(20ms): one begins with each million rows", windowsSession, windowsSessionHand, "≥ 1 M"},
		} {
			contenders := []contender{{label: w.label, child: w.ours, job: j}}
			if w.hand != "" {
				contenders = append(contenders, contender{label: w.label + ", by hand", child: w.hand, job: j})
			}
			runs, err := b.duel(ctx, "windows", contenders)
			if err != nil {
				return nil, err
			}
			theirs, against := "–", "–"
			if w.hand != "" {
				theirs, against = each(runs[1], perRow).in("%.1f", 1e-9), "**"+ratio(runs[0], runs[1], perRow).ratio()+"**"
			}
			t.add(w.label, each(runs[0], perRow).in("%.1f", 1e-9),
				each(runs[0], func(o outcome) float64 { return 1 / o.PerRow }).in("%.1f M", 1e6), w.wanted, theirs, against,
				each(runs[0], func(o outcome) float64 { return float64(o.Mallocs) / float64(j.Rows) }).in("%.3f", 1))
		}
		for _, of := range []struct{ label, child string }{
			{"an int32", windowsMemory}, {"a text of 20 characters", windowsMemoryText},
		} {
			if err := b.stateBytes(ctx, t, of.label, of.child); err != nil {
				return nil, err
			}
		}
		return t, nil
	},
}

// stateBytes notes what a state takes: what a window of many keys takes less what one of a few
// does.
func (b *bench) stateBytes(ctx context.Context, t *table, label, child string) error {
	var runs [2][]outcome
	for i, keys := range []int64{fewKeys, manyKeys} {
		all, err := b.duel(ctx, "windows-memory", []contender{{
			label: fmt.Sprintf("%d keys, each %s", keys, label), child: child, job: job{Rows: keys, Keys: keys},
		}})
		if err != nil {
			return err
		}
		runs[i] = all[0]
	}
	aKey := func(of func(outcome) float64) string {
		values := make([]float64, len(runs[0]))
		for i := range values {
			values[i] = (of(runs[1][i]) - of(runs[0][i])) / (manyKeys - fewKeys)
		}
		return spreadOf(values).in("%.0f", 1)
	}
	t.notes = append(t.notes, fmt.Sprintf("Memory of %d states of 8 bytes whose key is %s, in bytes a key: **%s** of heap, **%s** of peak RSS.",
		manyKeys, label, aKey(func(o outcome) float64 { return float64(o.Held) }), aKey(peak)))
	return nil
}
