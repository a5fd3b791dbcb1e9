package main

import (
	"context"
	"fmt"
)

var commandCopyFigure = figure{
	name:  "command-copy",
	title: "rxcql copy, one table into another",
	run: func(ctx context.Context, b *bench) (*table, error) {
		name, err := b.events(ctx)
		if err != nil {
			return nil, err
		}
		program, err := b.rxcql(ctx)
		if err != nil {
			return nil, err
		}
		args := func(more ...string) func(j job) []string {
			return func(j job) []string {
				return append(rxcqlArgs("copy", j.Keyspace+"."+j.Table, "--to", j.Keyspace+"."+j.Target), more...)
			}
		}
		contenders := []contender{
			{label: "gocql by hand", child: copyHand},
			{label: "rxcql copy", child: runCommand, job: job{Command: program}, args: args()},
			{label: "rxcql copy --times", child: runCommand, job: job{Command: program}, args: args("--times")},
		}
		b.copies(contenders, "command_copy", name)
		runs, err := b.duel(ctx, "command-copy", contenders)
		if err != nil {
			return nil, err
		}
		t := &table{columns: workColumns[:6]}
		add := func(label, wanted string, runs, baseline []outcome) {
			t.add(workCells(label, wanted, runs, baseline)[:6]...)
		}
		add("gocql by hand, without times: 8 range workers, batches of 100 of one partition, 64 in flight", "", runs[0], runs[0])
		add("rxcql copy", "≤ 0.85; < 100 MB", runs[1], runs[0])
		add("rxcql copy --times", "< 100 MB", runs[2], runs[0])
		t.notes = append(t.notes, "Every copy was read back by hand afterwards: the count and a checksum of all rows agree with the source. "+
			"The start of rxcql and its connecting are in its figures, and not in those by hand.")
		return t, nil
	},
}

// copies gives contenders a table of events of their own for each run, and compares it with the
// source when they have filled it.
func (b *bench) copies(contenders []contender, prefix, source string) {
	targets := 0
	for i := range contenders {
		c := &contenders[i]
		c.job.Keyspace, c.job.Table, c.job.Rows = b.server.keyspace, source, b.rows
		c.before = func(ctx context.Context, j *job) error {
			targets++
			j.Target = fmt.Sprintf("%s_%d", prefix, targets)
			return b.server.createEvents(ctx, j.Target)
		}
		c.after = func(ctx context.Context, j job, _ outcome) error { return b.proveCopy(ctx, c.label, j) }
	}
}
