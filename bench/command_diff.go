package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

var commandDiffFigure = figure{
	name:  "command-diff",
	title: "rxcql diff of two equal tables against reading both",
	run: func(ctx context.Context, b *bench) (*table, error) {
		name, err := b.events(ctx)
		if err != nil {
			return nil, err
		}
		program, err := b.rxcql(ctx)
		if err != nil {
			return nil, err
		}
		copied, err := b.eventsAgain(ctx, name, program)
		if err != nil {
			return nil, err
		}
		j := job{Keyspace: b.server.keyspace, Table: name, Target: copied, Rows: 2 * b.rows}
		with := j
		with.Command = program
		folder := filepath.Join(b.folder, "diff")
		diff := func(label string, more ...string) contender {
			return contender{
				label: label, child: runCommand, job: with,
				args: func(j job) []string {
					return append(rxcqlArgs("diff", j.Keyspace+"."+j.Table, "--to", j.Keyspace+"."+j.Target, "--out", folder), more...)
				},
				// The next run would have nothing left to do.
				after: func(context.Context, job, outcome) error { return os.RemoveAll(folder) },
			}
		}
		contenders := []contender{
			{label: "source.Table of rxcql.Row, both sides one after the other", child: readBothRaw, job: j},
			{label: "source.Table of structs, the same", child: readBoth, job: j},
			diff("rxcql diff"), diff("rxcql diff --times", "--times"),
		}
		runs, err := b.duel(ctx, "command-diff", contenders)
		if err != nil {
			return nil, err
		}
		t := &table{columns: slices.Clone(workColumns[:6])}
		t.columns[2] = "ratio to reading both as rows"
		for i, wanted := range []string{"", "", "≤ 1.2; < 100 MB", "< 100 MB"} {
			t.add(workCells(contenders[i].label, wanted, runs[i], runs[0])[:6]...)
		}
		t.notes = append(t.notes, "CPU is by row read, of both sides. The start of rxcql and its connecting are in its figures, and not in those of source.Table.")
		return t, nil
	},
}

// What is compared is the count of rows: rxcql says of its own that both sides are equal.
var (
	readBoth    = register("diff-read", rowsAlone(scansOf(countEvent)))
	readBothRaw = register("diff-read-raw", rowsAlone(scansOf(countRow)))
)

func rowsAlone(w work) work {
	return func(ctx context.Context, j job) (func() (tally, error), func(), error) {
		run, done, err := w(ctx, j)
		if err != nil {
			return nil, nil, err
		}
		return func() (tally, error) {
			t, err := run()
			return tally{Rows: t.Rows}, err
		}, done, nil
	}
}

// eventsAgain makes sure that a copy of the table of events is there, with the same write times.
func (b *bench) eventsAgain(ctx context.Context, name, program string) (string, error) {
	copied := name + "_again"
	if _, done := b.server.loaded[copied]; done {
		return copied, nil
	}
	if err := b.server.createEvents(ctx, copied); err != nil {
		return "", err
	}
	args := rxcqlArgs("copy", b.server.keyspace+"."+name, "--to", b.server.keyspace+"."+copied, "--times")
	_, err := b.spawn(ctx, runCommand, job{Command: program, Args: args})
	if err != nil {
		return "", err
	}
	got, err := checksum(ctx, b.server.session, b.server.keyspace+"."+copied)
	if want := b.server.loaded[name]; err == nil && got != want {
		err = fmt.Errorf("the copy has %d rows, and not the %d of the table", got.Rows, want.Rows)
	}
	b.server.loaded[copied] = got
	return copied, err
}
