package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

var commandMemoryFigure = figure{
	name:  "command-memory",
	title: "peak memory of each verb of rxcql, at its default budget",
	run: func(ctx context.Context, b *bench) (*table, error) {
		program, err := b.rxcql(ctx)
		if err != nil {
			return nil, err
		}
		t := &table{columns: []string{"rxcql"}}
		for i, text := range strings.Split(b.sizes, ",") {
			rows, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
			if err != nil || rows < 10 {
				return nil, fmt.Errorf("-sizes: %q is no number of at least 10 rows", text)
			}
			t.columns = append(t.columns, fmt.Sprintf("%d rows: peak RSS, MB", rows), "wall, s")
			steps, err := b.memorySteps(ctx, rows)
			if err != nil {
				return nil, err
			}
			for n, s := range steps {
				j := job{Command: program, Args: append(rxcqlArgs(s.verb), s.args...), Exit: s.exit}
				o, err := b.spawn(ctx, runCommand, j)
				if err != nil {
					return nil, err
				}
				progress("  %d rows, %-32s %5.1f MB, %.2f s", rows, s.label, float64(o.Peak)/1e6, o.Wall.Seconds())
				if i == 0 {
					t.add(s.label)
				}
				t.rows[n] = append(t.rows[n], fmt.Sprintf("**%.1f**", float64(o.Peak)/1e6), fmt.Sprintf("%.1f", o.Wall.Seconds()))
				if s.after != nil {
					if err := s.after(); err != nil {
						return nil, err
					}
				}
			}
		}
		t.columns = append(t.columns, "wanted")
		for n := range t.rows {
			t.rows[n] = append(t.rows[n], "< 100 MB")
		}
		t.notes = append(t.notes, "One run of each. A tenth of the rows differs where diff and repair have differences.")
		return t, nil
	},
}

// memoryStep is one run of a verb.
type memoryStep struct {
	label, verb string
	args        []string
	exit        int
	after       func() error // may be nil
}

// memorySteps are the runs over a table of so many rows, of which each may need what those before
// it have made.
func (b *bench) memorySteps(ctx context.Context, rows int64) ([]memoryStep, error) {
	name, err := b.samples(ctx, rows)
	if err != nil {
		return nil, err
	}
	fewer, err := b.samples(ctx, rows-rows/10)
	if err != nil {
		return nil, err
	}
	targets := []string{fmt.Sprintf("memory_copy_%d", rows), fmt.Sprintf("memory_times_%d", rows), fmt.Sprintf("memory_load_%d", rows)}
	for _, target := range targets {
		if err := b.server.createSamples(ctx, target); err != nil {
			return nil, err
		}
	}
	in := func(table string) string { return b.server.keyspace + "." + table }
	file := func(name string) string { return filepath.Join(b.folder, name) }
	remove := func(names ...string) func() error {
		return func() (err error) {
			for _, name := range names {
				err = errors.Join(err, os.RemoveAll(file(name)))
			}
			return err
		}
	}
	drop := func() (err error) {
		delete(b.server.loaded, fewer) // it is as large as the other one now
		for _, table := range append(targets, fewer) {
			err = errors.Join(err, b.server.exec(ctx, "DROP TABLE "+in(table)))
		}
		return errors.Join(err, remove("differ", "repaired")())
	}
	const differ = 3 // what a diff exits with that finds differences
	return []memoryStep{
		{label: "copy", verb: "copy", args: []string{in(name), "--to", in(targets[0])}},
		{label: "copy --times", verb: "copy", args: []string{in(name), "--to", in(targets[1]), "--times"}},
		{label: "unload, CSV", verb: "unload", args: []string{in(name), "--out", file("m.csv")}},
		{label: "load, CSV", verb: "load", args: []string{file("m.csv"), "--into", in(targets[2])}, after: remove("m.csv")},
		{label: "unload, NDJSON in gzip", verb: "unload", args: []string{in(name), "--out", file("m.ndjson.gz")}},
		{label: "load, NDJSON in gzip", verb: "load", args: []string{file("m.ndjson.gz"), "--into", in(targets[2])}, after: remove("m.ndjson.gz")},
		{label: "unload, Parquet", verb: "unload", args: []string{in(name), "--out", file("m"), "--format", "parquet"}},
		{label: "load, Parquet", verb: "load", args: []string{file("m"), "--into", in(targets[2]), "--format", "parquet"}, after: remove("m")},
		{label: "count --sizes --largest 10", verb: "count", args: []string{in(name), "--sizes", "--largest", "10"}},
		{label: "diff of equal tables", verb: "diff", args: []string{in(name), "--to", in(targets[0]), "--out", file("equal")}, after: remove("equal")},
		{label: "diff --times of equal tables", verb: "diff", args: []string{in(name), "--to", in(targets[1]), "--times", "--out", file("equal")}, after: remove("equal")},
		{label: "diff, with differences", verb: "diff", args: []string{in(name), "--to", in(fewer), "--pause", "0", "--out", file("differ")}, exit: differ},
		{label: "repair", verb: "repair", args: []string{in(name), "--to", in(fewer), "--from", file("differ"), "--out", file("repaired")}, after: drop},
	}, nil
}
