package main

import (
	"cmp"
	"context"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/source"
)

var tablePairFigure = figure{
	name:  "tablepair",
	title: "two tables side by side, paired by primary key",
	run: func(ctx context.Context, b *bench) (*table, error) {
		name, err := b.events(ctx)
		if err != nil {
			return nil, err
		}
		t := &table{columns: workColumns}
		j := job{Keyspace: b.server.keyspace, Table: name, Rows: 2 * b.rows}
		for _, form := range []struct{ label, scan, pair string }{
			{"structs", scanTwice, pairUp}, {"rxcql.Row", scanTwiceRaw, pairUpRaw},
		} {
			runs, err := b.duel(ctx, "tablepair", []contender{
				{label: "scans of " + form.label, child: form.scan, job: j},
				{label: "pairs of " + form.label, child: form.pair, job: j},
			})
			if err != nil {
				return nil, err
			}
			t.add(workCells("source.Table of both tables, one after the other, "+form.label, "", runs[0], runs[0])...)
			t.add(workCells("source.TablePair of both, "+form.label, "≤ 1.15", runs[1], runs[0])...)
		}
		return t, nil
	},
}

// The two tables are one table that is read twice, so that every row has its partner.
var (
	scanTwice    = register("tablepair-scan", scansOf(countEvent))
	scanTwiceRaw = register("tablepair-scan-raw", scansOf(countRow))
	pairUp       = register("tablepair-pair", pairsOf(countEvent))
	pairUpRaw    = register("tablepair-pair-raw", pairsOf(countRow))
)

func countEvent(t *tally, e *event) { t.add(tally{1, int64(e.Seq)}) }

func countRow(t *tally, r *rxcql.Row) { t.add(tally{1, int64(len(r.Bytes(0)))}) }

func scansOf[T any](count func(*tally, *T)) work {
	return func(ctx context.Context, j job) (func() (tally, error), func(), error) {
		session, err := connect(ctx)
		if err != nil {
			return nil, nil, err
		}
		return func() (t tally, err error) {
			for _, name := range []string{j.Table, cmp.Or(j.Target, j.Table)} {
				rows := source.Table[T](session, j.Keyspace+"."+name)
				_, err = rows.ForEach(ctx, func(row T) error {
					count(&t, &row)
					return nil
				}, rxcql.WithWorkers(scanWorkers))
				if err != nil {
					break
				}
			}
			return t, err
		}, session.Close, nil
	}
}

func pairsOf[T any](count func(*tally, *T)) work {
	return func(ctx context.Context, j job) (func() (tally, error), func(), error) {
		session, err := connect(ctx)
		if err != nil {
			return nil, nil, err
		}
		return func() (t tally, err error) {
			name := j.Keyspace + "." + j.Table
			pairs := source.TablePair[T, T](session, name, session, name)
			_, err = pairs.ForEach(ctx, func(p rxcql.Pair[T, T]) error {
				if p.HasLeft {
					count(&t, &p.Left)
				}
				if p.HasRight {
					count(&t, &p.Right)
				}
				return nil
			}, rxcql.WithWorkers(scanWorkers))
			return t, err
		}, session.Close, nil
	}
}
