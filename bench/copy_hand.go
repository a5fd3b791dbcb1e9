package main

import (
	"context"
	"fmt"

	"github.com/gocql/gocql"
	"golang.org/x/sync/errgroup"
)

// What the hand-written copier is tuned to.
const (
	copyWorkers  = 8
	copyBatch    = 100 // rows of one partition
	copyInFlight = 64  // batches
)

// batches writes events by hand: unlogged batches of one partition, several in
// flight. The limit is shared by all workers.
type batches struct {
	session *gocql.Session
	insert  string
	group   *errgroup.Group
	ctx     context.Context
}

func newBatches(ctx context.Context, session *gocql.Session, table string) *batches {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(copyInFlight)
	return &batches{session: session, insert: fmt.Sprintf(insertEvent, table), group: group, ctx: ctx}
}

func (w *batches) send(b *gocql.Batch) {
	w.group.Go(func() error { return w.session.ExecuteBatch(b.WithContext(w.ctx).RetryPolicy(handRetries)) })
}

// partitions gathers one worker's rows into batches.
type partitions struct {
	to     *batches
	batch  *gocql.Batch
	sensor int32
}

func (p *partitions) add(e *event) {
	if p.batch != nil && (p.sensor != e.Sensor || len(p.batch.Entries) == copyBatch) {
		p.flush()
	}
	if p.batch == nil {
		p.batch = p.to.session.NewBatch(gocql.UnloggedBatch)
		p.batch.Entries = make([]gocql.BatchEntry, 0, copyBatch)
		p.sensor = e.Sensor
	}
	p.batch.Query(p.to.insert, e.Sensor, e.Seq, e.Kind, e.At, e.Note)
}

func (p *partitions) flush() {
	if p.batch != nil {
		p.to.send(p.batch)
		p.batch = nil
	}
}

// copyHand is the copier that one writes without a toolkit.
var copyHand = register("copy-hand", func(ctx context.Context, j job) (func() (tally, error), func(), error) {
	session, err := connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	cql := fmt.Sprintf(selectEvents, j.Keyspace+"."+j.Table)
	return func() (tally, error) {
		out := newBatches(ctx, session, j.Keyspace+"."+j.Target)
		var rows [copyWorkers]int64
		err := byRange(out.ctx, session, copyWorkers, cql, "sensor", func(ctx context.Context, worker int, iter *gocql.Iter) error {
			var e event
			n := int64(0)
			p := partitions{to: out}
			for iter.Scan(&e.Sensor, &e.Seq, &e.Kind, &e.At, &e.Note) {
				p.add(&e)
				n++
			}
			p.flush() // a partition never goes on in the next range
			rows[worker] += n
			return ctx.Err()
		})
		if written := out.group.Wait(); written != nil {
			err = written
		}
		var all tally
		for _, n := range rows {
			all.Rows += n
		}
		return all, err
	}, session.Close, nil
})
