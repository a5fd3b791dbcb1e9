package main

import (
	"context"
	"errors"

	"github.com/samber/ro"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

// verb is one synchronous operator over rows of 40 bytes.
type verb struct {
	name   string
	wanted string
	ours   func(ctx context.Context, in rxcql.Stream[event]) (int64, error) // counts what comes out
	ro     func(in ro.Observable[event]) (int64, error)                     // nil if it has none
	hand   func(rows []event) int64                                         // the same in a loop, for one page; nil if that says nothing
}

var verbs = []verb{
	{"the source alone", "", count(func(in rxcql.Stream[event]) rxcql.Stream[event] { return in }), roCount(func(in ro.Observable[event]) ro.Observable[event] { return in }), nil},
	{"Map", "≤ 10", count(func(in rxcql.Stream[event]) rxcql.Stream[reading] { return operators.Map(in, readingOf) }), roCount(ro.Map(toReading)), mapByHand},
	{"Filter", "≤ 10", count(func(in rxcql.Stream[event]) rxcql.Stream[event] { return operators.Filter(in, ofKind) }), roCount(ro.Filter(ofKind)), nil},
	{
		"FlatMap, one row for each", "≤ 10",
		count(func(in rxcql.Stream[event]) rxcql.Stream[event] {
			return operators.FlatMap(in, func(e event, emit func(event) bool) error { emit(e); return nil })
		}),
		roCount(ro.FlatMap(func(e event) ro.Observable[event] { return ro.Just(e) })), flatMapByHand,
	},
	{
		"Tap", "≤ 10",
		count(func(in rxcql.Stream[event]) rxcql.Stream[event] {
			return operators.Tap(in, func(e event) error { seen += e.At; return nil })
		}),
		roCount(ro.TapOnNext(func(e event) { seen += e.At })), nil,
	},
	{
		"Scan", "≤ 10",
		count(func(in rxcql.Stream[event]) rxcql.Stream[int64] {
			return operators.Scan(in, zero, func(sum int64, e event) (int64, error) { return sum + e.At, nil })
		}),
		roCount(ro.Scan(func(sum int64, e event) int64 { return sum + e.At }, int64(0))), nil,
	},
	{
		"Reduce", "≤ 10",
		count(func(in rxcql.Stream[event]) rxcql.Stream[int64] {
			return operators.Reduce(in, zero, func(sum int64, e event) (int64, error) { return sum + e.At, nil })
		}),
		roCount(ro.Reduce(func(sum int64, e event) int64 { return sum + e.At }, int64(0))), nil,
	},
	{"Take", "≤ 10", count(func(in rxcql.Stream[event]) rxcql.Stream[event] { return operators.Take(in, 1<<40) }), roCount(ro.Take[event](1 << 40)), nil},
	{"TakeWhile", "≤ 10", count(func(in rxcql.Stream[event]) rxcql.Stream[event] { return operators.TakeWhile(in, any40) }), roCount(ro.TakeWhile(any40)), nil},
	{"Skip", "≤ 10", count(func(in rxcql.Stream[event]) rxcql.Stream[event] { return operators.Skip(in, 1) }), roCount(ro.Skip[event](1)), nil},
	{
		"DistinctAdjacent", "≤ 10",
		count(func(in rxcql.Stream[event]) rxcql.Stream[event] { return operators.DistinctAdjacent(in, sensorOf) }), nil, nil,
	},
	{
		"Batch of 100", "≤ 10",
		count(func(in rxcql.Stream[event]) rxcql.Stream[[]event] {
			return operators.Batch(in, operators.BatchRows(partitionRows))
		}),
		roCount(ro.BufferWithCount[event](partitionRows)), batchByHand,
	},
	{
		"GroupAdjacent, groups of 100", "≤ 15",
		count(func(in rxcql.Stream[event]) rxcql.Stream[operators.Group[int32, int64]] {
			return operators.GroupAdjacent(in, sensorOf, zero, func(sum int64, e event) (int64, error) { return sum + e.At, nil })
		}), nil, nil,
	},
}

// seen is what Tap has done.
var seen int64

func ofKind(e event) bool { return e.Kind != 0 }

func any40(e event) bool { return e.At >= 0 }

func sensorOf(e event) int32 { return e.Sensor }

func zero() int64 { return 0 }

func count[T any](build func(rxcql.Stream[event]) rxcql.Stream[T]) func(context.Context, rxcql.Stream[event]) (int64, error) {
	return func(ctx context.Context, in rxcql.Stream[event]) (int64, error) { return build(in).Count(ctx) }
}

func roCount[T any](build func(ro.Observable[event]) ro.Observable[T]) func(ro.Observable[event]) (int64, error) {
	return func(in ro.Observable[event]) (n int64, err error) {
		build(in).Subscribe(ro.NewObserver(func(T) { n++ }, func(e error) { err = errors.Join(err, e) }, func() {})).Wait()
		return n, err
	}
}

func init() {
	for _, v := range verbs {
		register("verb-rxcql "+v.name, inMemory(func(ctx context.Context, rows []event, j job) (tally, error) {
			n, err := v.ours(ctx, inPages(rows, j.Rows))
			return tally{Rows: n, Sum: seen}, err
		}))
		if v.hand != nil {
			register("verb-hand "+v.name, inMemory(func(_ context.Context, rows []event, j job) (t tally, err error) {
				for range j.Rows / int64(len(rows)) {
					t.Rows += v.hand(rows)
				}
				if open != nil {
					t.Rows++ // the last batch
				}
				return t, nil
			}))
		}
		if v.ro == nil {
			continue
		}
		register("verb-ro "+v.name, inMemory(func(_ context.Context, rows []event, j job) (tally, error) {
			pages := make([][]event, j.Rows/int64(len(rows)))
			for i := range pages {
				pages[i] = rows
			}
			n, err := v.ro(ro.FromSlice(pages...))
			return tally{Rows: n, Sum: seen}, err
		}))
	}
}

var verbsFigure = figure{
	name:  "verbs",
	title: "one operator over rows of 40 bytes in memory, with a source and a count",
	run: func(ctx context.Context, b *bench) (*table, error) {
		t := &table{columns: []string{"operator", "CPU, ns a row", "wanted", "samber/ro, ns a row", "times rxcql", "by hand, ns a row", "allocations a row"}}
		for _, v := range verbs {
			j := job{Rows: 4 * b.rows / operatorPage * operatorPage}
			contenders := []contender{{label: v.name, child: "verb-rxcql " + v.name, job: j}}
			if v.ro != nil {
				contenders = append(contenders, contender{label: v.name + ", samber/ro", child: "verb-ro " + v.name, job: j})
			}
			if v.hand != nil {
				contenders = append(contenders, contender{label: v.name + ", by hand", child: "verb-hand " + v.name, job: j})
			}
			runs, err := b.duel(ctx, "verbs", contenders)
			if err != nil {
				return nil, err
			}
			theirs, times, hand := "–", "–", "–"
			if v.ro != nil {
				theirs, times = each(runs[1], perRow).in("%.0f", 1e-9), "**"+ratio(runs[1], runs[0], perRow).in("%.1f", 1)+"**"
			}
			if v.hand != nil {
				hand = each(runs[len(runs)-1], perRow).in("%.1f", 1e-9)
			}
			t.add(v.name, each(runs[0], perRow).in("%.1f", 1e-9), v.wanted, theirs, times, hand, each(runs[0], func(o outcome) float64 {
				return float64(o.Mallocs) / float64(j.Rows)
			}).in("%.2f", 1))
		}
		return t, nil
	},
}
