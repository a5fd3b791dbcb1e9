package main

import (
	"context"
	"fmt"
	"hash/fnv"
)

// scatteredRows is how many rows the figure writes, whatever -rows says: each costs
// many times what a row in a batch of one partition does.
const scatteredRows = 150_000

// How the contenders of the figure write.
const (
	fewInFlight  = 64
	manyInFlight = 256

	askedPartitions = 100
	askedBytes      = 48 << 10 // the server refuses batches of several partitions above 50 KiB
	batchesInFlight = 64
)

// scatteredRow is a row of the figure, a partition of its own. The partitions follow
// each other in no order of their tokens, as those of a file do.
type scatteredRow struct {
	ID     int64  `cql:"id"`
	Sensor int32  `cql:"sensor"`
	Kind   int32  `cql:"kind"`
	At     int64  `cql:"at"` // milliseconds
	Note   string `cql:"note"`
}

const (
	selectScattered = "SELECT id, sensor, kind, at, note FROM %s"
	insertScattered = "INSERT INTO %s (id, sensor, kind, at, note) VALUES (?, ?, ?, ?, ?)"
)

func scatteredAt(i int64) scatteredRow {
	e := eventAt(i)
	return scatteredRow{ID: i, Sensor: e.Sensor, Kind: e.Kind, At: e.At, Note: e.Note}
}

// tally adds a hash of the row, so that two tables that agree in the sum hold the same rows.
func (r *scatteredRow) tally(t *tally) {
	h := fnv.New64a()
	fmt.Fprintf(h, "%d %d %d %d %s", r.ID, r.Sensor, r.Kind, r.At, r.Note)
	t.Rows++
	t.Sum += int64(h.Sum64())
}

var scatteredFigure = figure{
	name:  "scattered",
	title: fmt.Sprintf("%d rows in an order that spreads partitions, into a table", scatteredRows),
	run: func(ctx context.Context, b *bench) (*table, error) {
		cqlsh, missing := findCQLSH()
		contenders := []contender{
			{label: "gocql by hand: single inserts, 64 in flight", child: scatteredHand, job: job{InFlight: fewInFlight}},
			{label: "rxcql: sink.Table, single rows, 64 in flight", child: scatteredTable, job: job{InFlight: fewInFlight}},
			{label: "gocql by hand: single inserts, 256 in flight", child: scatteredHand, job: job{InFlight: manyInFlight}},
			{label: "rxcql: sink.Table, single rows, 256 in flight", child: scatteredTable, job: job{InFlight: manyInFlight}},
			{
				label: fmt.Sprintf("gocql by hand: unlogged batches of %d rows of any partitions (on several nodes too), 64 in flight", askedPartitions),
				child: scatteredHandBatches, job: job{InFlight: batchesInFlight, Partitions: askedPartitions},
			},
			{label: "rxcql: sink.Table, BatchByReplicaSet(0, 0): 10 partitions, 5 KiB", child: scatteredBatches, job: job{InFlight: batchesInFlight}},
			{
				label: fmt.Sprintf("rxcql: sink.Table, BatchByReplicaSet(%d, %d KiB)", askedPartitions, askedBytes>>10),
				child: scatteredBatches, job: job{InFlight: batchesInFlight, Partitions: askedPartitions, Bytes: askedBytes},
			},
		}
		if missing == nil {
			file, err := writeCSV(b, "scattered", scatteredRows, scatteredAt)
			if err != nil {
				return nil, err
			}
			contenders = append(contenders, contender{label: "cqlsh COPY FROM, with its start", child: runCQLSH, job: job{Command: cqlsh}, args: func(j job) []string {
				return []string{fmt.Sprintf("COPY %s.%s (id, sensor, kind, at, note) FROM '%s'", j.Keyspace, j.Target, file)}
			}})
		}
		b.writes(contenders, scatteredRows)
		runs, err := b.duel(ctx, "scattered", contenders)
		if err != nil {
			return nil, err
		}
		t := &table{columns: speedColumns}
		for i, c := range contenders {
			base := runs[0]
			if c.job.InFlight == manyInFlight {
				base = runs[2]
			}
			t.add(speedCells(c.label, scatteredWanted[i], runs[i], base)...)
		}
		t.notes = append(t.notes, "After every run the table was read back by hand: the count and a checksum of all rows agree with what was written.")
		if missing != nil {
			t.notes = append(t.notes, "Left out: cqlsh COPY FROM, since "+missing.Error()+".")
		}
		return t, nil
	},
}

// scatteredWanted is by contender.
var scatteredWanted = [8]string{1: "≤ 1.25", 3: "≤ that of 64 in flight", 6: "≤ 0.33, 2.5 times the rows a second"}

// writes gives contenders a table of their own for each run, and compares what it
// holds then with what it has to hold.
func (b *bench) writes(contenders []contender, rows int64) {
	var want tally
	for i := range rows {
		row := scatteredAt(i)
		row.tally(&want)
	}
	targets := 0
	for i := range contenders {
		c := &contenders[i]
		c.job.Keyspace, c.job.Rows = b.server.keyspace, rows
		c.before = func(ctx context.Context, j *job) error {
			targets++
			j.Target = fmt.Sprintf("scattered_%d", targets)
			return b.server.exec(ctx, "CREATE TABLE "+j.Keyspace+"."+j.Target+" (id bigint PRIMARY KEY, sensor int, kind int, at bigint, note text)")
		}
		c.after = func(ctx context.Context, j job, _ outcome) error {
			got, err := b.scatteredChecksum(ctx, j.Keyspace+"."+j.Target)
			if err != nil {
				return err
			}
			if got != want {
				return fmt.Errorf("%s: %d rows with checksum %x are in the table, not %d with %x",
					c.label, got.Rows, uint64(got.Sum), want.Rows, uint64(want.Sum))
			}
			return b.server.exec(ctx, "DROP TABLE "+j.Keyspace+"."+j.Target)
		}
	}
}

func (b *bench) scatteredChecksum(ctx context.Context, table string) (t tally, err error) {
	iter := b.server.session.Query(fmt.Sprintf(selectScattered, table)).WithContext(ctx).PageSize(handPageRows).RetryPolicy(handRetries).Iter()
	for r := (scatteredRow{}); iter.Scan(&r.ID, &r.Sensor, &r.Kind, &r.At, &r.Note); {
		r.tally(&t)
	}
	return t, iter.Close()
}
