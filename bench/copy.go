package main

import (
	"context"
	"fmt"
)

var copyFigure = figure{
	name:  "copy",
	title: "one table into another",
	run: func(ctx context.Context, b *bench) (*table, error) {
		name, err := b.events(ctx)
		if err != nil {
			return nil, err
		}
		contenders := []contender{
			{label: "gocql by hand", child: copyHand},
			{label: "rxcql, Row", child: copyRow},
			{label: "rxcql, struct", child: copyStruct},
		}
		targets := 0
		for i := range contenders {
			c := &contenders[i]
			c.job = job{Keyspace: b.server.keyspace, Table: name, Rows: b.rows}
			c.before = func(ctx context.Context, j *job) error {
				targets++
				j.Target = fmt.Sprintf("copy_%d", targets)
				return b.server.createEvents(ctx, j.Target)
			}
			c.after = func(ctx context.Context, j job, _ outcome) error { return b.proveCopy(ctx, c.label, j) }
		}
		runs, err := b.duel(ctx, "copy", contenders)
		if err != nil {
			return nil, err
		}
		t := &table{columns: workColumns}
		t.add(workCells("gocql by hand: 8 range workers, batches of 100 of one partition, 64 in flight", "", runs[0], runs[0])...)
		t.add(workCells("rxcql: source.Table[Row] into sink.Table[Row]", "≤ 1.0, aim 0.85", runs[1], runs[0])...)
		t.add(workCells("rxcql: the same with a struct", "≤ 1.0, aim 0.85", runs[2], runs[0])...)
		t.notes = append(t.notes, "Every copy was read back by hand afterwards: the count and a checksum of all rows agree with the source.")
		return t, nil
	},
}

// proveCopy compares a copy with its source, and makes room for the next one.
func (b *bench) proveCopy(ctx context.Context, label string, j job) error {
	want := b.server.loaded[j.Table]
	got, err := checksum(ctx, b.server.session, j.Keyspace+"."+j.Target)
	if err != nil {
		return err
	}
	if got != want {
		return fmt.Errorf("%s: the copy is not equal: %d rows with checksum %x, of %d with %x",
			label, got.Rows, uint64(got.Sum), want.Rows, uint64(want.Sum))
	}
	return b.server.exec(ctx, "DROP TABLE "+j.Keyspace+"."+j.Target)
}
