package main

import (
	"context"
	"fmt"

	"github.com/gocql/gocql"
	"golang.org/x/sync/errgroup"
)

// scatteredHand is the loop that one writes without a toolkit: so many goroutines,
// which take rows from a channel and insert each by itself.
var scatteredHand = register("scattered-hand", func(ctx context.Context, j job) (func() (tally, error), func(), error) {
	session, err := connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	cql := fmt.Sprintf(insertScattered, j.Keyspace+"."+j.Target)
	return func() (tally, error) {
		group, ctx := errgroup.WithContext(ctx)
		rows := make(chan scatteredRow, j.InFlight)
		for range j.InFlight {
			group.Go(func() error {
				for r := range rows {
					q := session.Query(cql, r.ID, r.Sensor, r.Kind, r.At, r.Note).WithContext(ctx).Idempotent(true).RetryPolicy(handRetries)
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
			case rows <- scatteredAt(i):
			case <-ctx.Done():
			}
		}
		close(rows)
		return tally{Rows: j.Rows}, group.Wait()
	}, session.Close, nil
})

// scatteredHandBatches is the same with unlogged batches of rows as they come,
// which is right on one node only.
var scatteredHandBatches = register("scattered-hand-batches", func(ctx context.Context, j job) (func() (tally, error), func(), error) {
	session, err := connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	cql := fmt.Sprintf(insertScattered, j.Keyspace+"."+j.Target)
	return func() (tally, error) {
		group, ctx := errgroup.WithContext(ctx)
		group.SetLimit(j.InFlight)
		send := func(b *gocql.Batch) {
			group.Go(func() error { return session.ExecuteBatch(b.WithContext(ctx).RetryPolicy(handRetries)) })
		}
		batch := session.NewBatch(gocql.UnloggedBatch)
		for i := range j.Rows {
			r := scatteredAt(i)
			batch.Query(cql, r.ID, r.Sensor, r.Kind, r.At, r.Note)
			if batch.Size() == j.Partitions {
				send(batch)
				batch = session.NewBatch(gocql.UnloggedBatch)
			}
		}
		if batch.Size() > 0 {
			send(batch)
		}
		return tally{Rows: j.Rows}, group.Wait()
	}, session.Close, nil
})
