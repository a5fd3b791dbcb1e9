package main

import (
	"context"
	"fmt"

	"github.com/gocql/gocql"
	"golang.org/x/sync/errgroup"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// The figure looks up and writes so many rows, whatever -rows says.
const (
	enrichRows     = 100_000
	enrichInFlight = 256 // requests of both kinds together
)

// enriched is a row with what was found for it.
type enriched struct {
	ID    int64  `cql:"id"`
	Key   int64  `cql:"key"`
	Name  string `cql:"name"`
	Score int32  `cql:"score"`
}

const (
	createEnriched = "CREATE TABLE %s (id bigint PRIMARY KEY, key bigint, name text, score int)"
	insertEnriched = "INSERT INTO %s (id, key, name, score) VALUES (?, ?, ?, ?)"
)

var enrichFigure = figure{
	name:  "enrich",
	title: fmt.Sprintf("a look-up for each of %d rows, each then written by itself", enrichRows),
	run: func(ctx context.Context, b *bench) (*table, error) {
		if err := b.rate(ctx); err != nil {
			return nil, err
		}
		contenders := []contender{
			{label: "gocql by hand: goroutines that look up and insert, 256 in flight", child: enrichHand},
			{label: "rxcql: Lookup with 128 in flight, then sink.Table with 128", child: enrichToolkit},
		}
		targets := 0
		for i := range contenders {
			c := &contenders[i]
			c.job = job{Keyspace: b.server.keyspace, Table: ratedTable, Rows: enrichRows, InFlight: enrichInFlight}
			c.before = func(ctx context.Context, j *job) error {
				targets++
				j.Target = fmt.Sprintf("enriched_%d", targets)
				return b.server.exec(ctx, fmt.Sprintf(createEnriched, j.Keyspace+"."+j.Target))
			}
			c.after = func(ctx context.Context, j job, _ outcome) error {
				if err := b.sameEnriched(ctx, j.Keyspace+"."+j.Target); err != nil {
					return fmt.Errorf("%s: %w", c.label, err)
				}
				return b.server.exec(ctx, "DROP TABLE "+j.Keyspace+"."+j.Target)
			}
		}
		runs, err := b.duel(ctx, "enrich", contenders)
		if err != nil {
			return nil, err
		}
		t := &table{columns: speedColumns}
		t.add(speedCells(contenders[0].label, "", runs[0], runs[0])...)
		t.add(speedCells(contenders[1].label, "rows a second ≥ 1.0", runs[1], runs[0])...)
		t.notes = append(t.notes, "After every run the table was read back by hand, and each row compared with what it has to be.")
		return t, nil
	},
}

// sameEnriched compares a table with what a contender had to write.
func (b *bench) sameEnriched(ctx context.Context, name string) error {
	iter := b.server.session.Query("SELECT id, key, name, score FROM " + name).WithContext(ctx).PageSize(handPageRows).RetryPolicy(handRetries).Iter()
	rows := 0
	for r := (enriched{}); iter.Scan(&r.ID, &r.Key, &r.Name, &r.Score); rows++ {
		found := ratedAt(lookupKey(r.ID))
		if want := (enriched{ID: r.ID, Key: found.ID, Name: found.Name, Score: found.Score}); r != want {
			return fmt.Errorf("row %d is %+v, not %+v", r.ID, r, want)
		}
	}
	if err := iter.Close(); err != nil {
		return err
	}
	if rows != enrichRows {
		return fmt.Errorf("%d rows are in the table, not %d", rows, enrichRows)
	}
	return nil
}

// enrichHand is the loop that one writes without a toolkit.
var enrichHand = register("enrich-hand", func(ctx context.Context, j job) (func() (tally, error), func(), error) {
	session, err := connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	find := fmt.Sprintf(selectRated, j.Keyspace+"."+j.Table)
	insert := fmt.Sprintf(insertEnriched, j.Keyspace+"."+j.Target)
	query := func(ctx context.Context, cql string, values ...any) *gocql.Query {
		return session.Query(cql, values...).WithContext(ctx).Idempotent(true).RetryPolicy(handRetries)
	}
	return func() (tally, error) {
		group, ctx := errgroup.WithContext(ctx)
		ids := make(chan int64, j.InFlight)
		for range j.InFlight {
			group.Go(func() error {
				for id := range ids {
					var r rated
					q := query(ctx, find, lookupKey(id))
					if err := q.Scan(&r.ID, &r.Name, &r.Score); err != nil {
						return err
					}
					q.Release()
					q = query(ctx, insert, id, r.ID, r.Name, r.Score)
					if err := q.Exec(); err != nil {
						return err
					}
					q.Release()
				}
				return nil
			})
		}
		for i := range j.Rows {
			select {
			case ids <- i:
			case <-ctx.Done():
			}
		}
		close(ids)
		return tally{Rows: j.Rows}, group.Wait()
	}, session.Close, nil
})

// enrichToolkit is the same work as enrichHand.
var enrichToolkit = register("enrich-rxcql", func(ctx context.Context, j job) (func() (tally, error), func(), error) {
	session, err := connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	return func() (tally, error) {
		ids := source.Seq(generate(func(i int64) int64 { return i }, j.Rows))
		rows := operators.Lookup(ids, session, fmt.Sprintf(selectRated, j.Keyspace+"."+j.Table),
			func(id int64) ([]any, error) { return []any{lookupKey(id)}, nil },
			func(id int64, found operators.Found[rated]) (enriched, error) {
				return enriched{ID: id, Key: found.Row.ID, Name: found.Row.Name, Score: found.Row.Score}, nil
			}, operators.LookupInFlight(j.InFlight/2), operators.Unordered())
		report, err := rxcql.Run(ctx, rows, sink.Table[enriched](session, j.Keyspace+"."+j.Target, sink.InFlight(j.InFlight/2)))
		return tally{Rows: report.Written}, err
	}, session.Close, nil
})
