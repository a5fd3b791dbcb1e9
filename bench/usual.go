package main

import (
	"context"
	"fmt"
	"time"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// visit is a row as people have them: numbers, a text of 54 characters and a timestamp. Decoding
// and making strings are the greater part of its cost, so what the toolkit saves elsewhere shows
// less than with events.
type visit struct {
	Site int32     `cql:"site"`
	Seq  int32     `cql:"seq"`
	Kind int32     `cql:"kind"`
	At   time.Time `cql:"at"`
	Note string    `cql:"note"`
}

const selectVisits = "SELECT site, seq, kind, at, note FROM %s"

func visitAt(i int64) visit {
	return visit{
		Site: int32(i / partitionRows), Seq: int32(i % partitionRows), Kind: int32(i * 7 % 10),
		At: time.UnixMilli(1_700_000_000_000 + i*250), Note: fmt.Sprintf("visit %09d of a page and a name of a usual length", i),
	}
}

// The same three functions as for events.

func visitReading(v visit) (reading, error) {
	return reading{Key: int64(v.Site)<<32 | int64(v.Seq), Minute: v.At.Unix() / 60, Kind: v.Kind, Note: v.Note}, nil
}

var usualFigure = figure{
	name:  "usual",
	title: "the scan with rows as people have them: a text of 54 characters and a timestamp",
	run: func(ctx context.Context, b *bench) (*table, error) {
		name, err := b.visits(ctx)
		if err != nil {
			return nil, err
		}
		j := job{Keyspace: b.server.keyspace, Table: name, Rows: b.rows}
		runs, err := b.duel(ctx, "usual", []contender{
			{label: "gocql by hand", child: usualHand, job: j},
			{label: "rxcql", child: usualToolkit, job: j},
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

// visits makes sure that the table with so many visits is there.
func (b *bench) visits(ctx context.Context) (name string, err error) {
	name = "visits"
	err = b.server.exec(ctx, "CREATE TABLE IF NOT EXISTS "+b.server.keyspace+"."+name+" (site int, seq int, kind int, at timestamp, "+
		"note text, PRIMARY KEY (site, seq)) WITH compression = {'enabled': false}")
	if err != nil {
		return "", err
	}
	progress("  loading %d rows into %s", b.rows, name)
	o, err := b.spawn(ctx, loadVisits, job{Keyspace: b.server.keyspace, Table: name, Rows: b.rows})
	if err == nil && o.Rows != b.rows {
		err = fmt.Errorf("loading %s: %d rows were written, not %d", name, o.Rows, b.rows)
	}
	return name, err
}

var (
	loadVisits = register("load-visits", load(visitAt))

	usualHand = register("usual-hand", func(ctx context.Context, j job) (func() (tally, error), func(), error) {
		session, err := connect(ctx)
		if err != nil {
			return nil, nil, err
		}
		cql := fmt.Sprintf(selectVisits, j.Keyspace+"."+j.Table)
		return func() (tally, error) {
			var parts [scanWorkers]tally
			err := byRange(ctx, session, scanWorkers, cql, "site", func(_ context.Context, worker int, iter *gocql.Iter) error {
				var v visit
				var t tally // not parts[worker]: neighbours would share a cache line
				for iter.Scan(&v.Site, &v.Seq, &v.Kind, &v.At, &v.Note) {
					if r, _ := visitReading(v); wanted(r) {
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

	usualToolkit = register("usual-rxcql", func(ctx context.Context, j job) (func() (tally, error), func(), error) {
		session, err := connect(ctx)
		if err != nil {
			return nil, nil, err
		}
		return func() (tally, error) {
			visits := source.Table[visit](session, j.Keyspace+"."+j.Table)
			points := operators.Map(operators.Filter(operators.Map(visits, visitReading), wanted), pointOf)
			var t tally
			_, err := points.ForEach(ctx, func(p point) error {
				t.count(p)
				return nil
			}, rxcql.WithWorkers(scanWorkers))
			return t, err
		}, session.Close, nil
	})
)
