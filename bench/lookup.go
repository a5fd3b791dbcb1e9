package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// The figure looks up so many rows by so many keys, whatever -rows says.
const (
	lookupRows = 200_000
	lookupKeys = 10_000

	lookupFew      = 256
	lookupThousand = 1000
	lookupMany     = 10_000
)

// lookupKey has the keys come in no order, each as often as the others.
func lookupKey(i int64) int64 { return i * 7919 % lookupKeys }

// rated is what is found for a key.
type rated struct {
	ID    int64  `cql:"id"`
	Name  string `cql:"name"`
	Score int32  `cql:"score"`
}

func ratedAt(i int64) rated {
	return rated{ID: i, Name: fmt.Sprintf("a customer of the shop, no. %d", i), Score: int32(i % 97)}
}

const (
	createRated = "CREATE TABLE IF NOT EXISTS %s (id bigint PRIMARY KEY, name text, score int)"
	selectRated = "SELECT id, name, score FROM %s WHERE id = ?"
	ratedTable  = "rated"
)

var lookupFigure = figure{
	name:  "lookup",
	title: fmt.Sprintf("a look-up for each of %d rows, of %d keys", lookupRows, lookupKeys),
	run: func(ctx context.Context, b *bench) (*table, error) {
		if err := b.rate(ctx); err != nil {
			return nil, err
		}
		few, thousand, many := job{InFlight: lookupFew}, job{InFlight: lookupThousand}, job{InFlight: lookupMany}
		contenders := []contender{
			{label: "gocql by hand: goroutines, 256 in flight", child: lookupHand, job: few},
			{label: "rxcql: MapConcurrent and a query by hand, 256 in flight, unordered", child: lookupMap, job: few},
			{label: "rxcql: Lookup, 256 in flight, unordered", child: lookupUnordered, job: few},
			{label: "rxcql: Lookup, 256 in flight, in order", child: lookupOrdered, job: few},
			{label: "rxcql: Lookup, 256 in flight, with a cache of 16 MiB", child: lookupCached, job: few},
			{label: "gocql by hand: goroutines, 1,000 in flight", child: lookupHand, job: thousand},
			{label: "rxcql: Lookup, 1,000 in flight, unordered", child: lookupUnordered, job: thousand},
			{label: "rxcql: Lookup, 1,000 in flight, in order", child: lookupOrdered, job: thousand},
			{label: "gocql by hand: goroutines, 10,000 in flight", child: lookupHand, job: many},
			{label: "rxcql: Lookup, 10,000 in flight, unordered", child: lookupUnordered, job: many},
		}
		for i := range contenders {
			c := &contenders[i]
			c.job.Keyspace, c.job.Table, c.job.Rows = b.server.keyspace, ratedTable, lookupRows
		}
		runs, err := b.duel(ctx, "lookup", contenders)
		if err != nil {
			return nil, err
		}
		t := &table{columns: speedColumns}
		for i, c := range contenders {
			base := runs[slices.IndexFunc(contenders, func(by contender) bool { // by hand, with as many in flight
				return by.child == lookupHand && by.job.InFlight == c.job.InFlight
			})]
			t.add(speedCells(c.label, lookupWanted[i], runs[i], base)...)
		}
		return t, b.lookupPeers(ctx, t)
	},
}

// lookupWanted is by contender.
var lookupWanted = [10]string{2: lookupGoal, 3: lookupGoal, 6: lookupGoal, 7: lookupGoal, 9: lookupGoal + "; ≤ 60 MB"}

const lookupGoal = "≤ 1.0, rows a second ≥ 1.0"

// rate makes the table that rows are looked up in.
func (b *bench) rate(ctx context.Context) error {
	name := b.server.keyspace + "." + ratedTable
	if err := b.server.exec(ctx, fmt.Sprintf(createRated, name)); err != nil {
		return err
	}
	_, err := rxcql.Run(ctx, source.Seq(generate(ratedAt, lookupKeys)), sink.Table[rated](b.server.session, name, sink.BatchByReplicaSet(0, 0)))
	return err
}
