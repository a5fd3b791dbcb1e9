package main

import (
	"context"
	"fmt"

	"github.com/gocql/gocql"
)

// scanWorkers is the number of token ranges read at once, on both sides.
const scanWorkers = 4

var scanFigure = figure{
	name:  "scan",
	title: "a whole table through three operators into a count",
	run: func(ctx context.Context, b *bench) (*table, error) {
		name, err := b.events(ctx)
		if err != nil {
			return nil, err
		}
		j := job{Keyspace: b.server.keyspace, Table: name, Rows: b.rows}
		runs, err := b.duel(ctx, "scan", []contender{
			{label: "gocql by hand", child: scanHand, job: j},
			{label: "rxcql", child: scanToolkit, job: j},
		})
		if err != nil {
			return nil, err
		}
		t := &table{columns: workColumns}
		t.add(workCells("gocql by hand: Scan into variables, 4 range workers, the functions called directly", "", runs[0], runs[0])...)
		t.add(workCells("rxcql: source.Table of structs, Map, Filter, Map, ForEach", "≤ 0.95", runs[1], runs[0])...)
		return t, nil
	},
}

// scanHand is the loop that one writes without a toolkit.
var scanHand = register("scan-hand", func(ctx context.Context, j job) (func() (tally, error), func(), error) {
	session, err := connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	cql := fmt.Sprintf(selectEvents, j.Keyspace+"."+j.Table)
	return func() (tally, error) {
		var parts [scanWorkers]tally
		err := byRange(ctx, session, scanWorkers, cql, "sensor", func(_ context.Context, worker int, iter *gocql.Iter) error {
			var e event
			var t tally // not parts[worker]: neighbours would share a cache line
			for iter.Scan(&e.Sensor, &e.Seq, &e.Kind, &e.At, &e.Note) {
				if r := toReading(e); wanted(r) {
					t.count(toPoint(r))
				}
			}
			parts[worker].add(t)
			return nil
		})
		var all tally
		for _, part := range parts {
			all.add(part)
		}
		return all, err
	}, session.Close, nil
})
