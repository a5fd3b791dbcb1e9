package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

const scatteredColumns = "id,sensor,kind,at,note"

var commandLoadFigure = figure{
	name:  "command-load",
	title: "rxcql load of CSV against cqlsh COPY FROM",
	run: func(ctx context.Context, b *bench) (*table, error) {
		name, err := b.events(ctx)
		if err != nil {
			return nil, err
		}
		program, err := b.rxcql(ctx)
		if err != nil {
			return nil, err
		}
		ordered, err := writeCSV(b, "ordered", b.rows, eventAt)
		if err != nil {
			return nil, err
		}
		scattered, err := writeCSV(b, "scattered", b.rows, scatteredAt)
		if err != nil {
			return nil, err
		}
		load := func(label, file, columns string, more ...string) contender {
			return contender{label: label, child: runCommand, job: job{Command: program}, args: func(j job) []string {
				return append(rxcqlArgs("load", file, "--into", j.Keyspace+"."+j.Target, "--header", "no", "--columns", columns), more...)
			}}
		}
		inOrder := []contender{load("rxcql load, rows in the order of their partitions", ordered, eventColumns)}
		spread := []contender{
			load("rxcql load, each row a partition", scattered, scatteredColumns),
			load("rxcql load --spread, each row a partition", scattered, scatteredColumns, "--spread"),
			load("rxcql load --spread-partitions 100 --spread-bytes 48KiB, each row a partition", scattered, scatteredColumns,
				"--spread-partitions", "100", "--spread-bytes", "48KiB"),
		}
		cqlsh, missing := findCQLSH()
		if missing == nil {
			from := func(label, file, columns string) contender {
				return contender{label: label, child: runCQLSH, job: job{Command: cqlsh}, args: func(j job) []string {
					return []string{fmt.Sprintf("COPY %s.%s (%s) FROM '%s'", j.Keyspace, j.Target, columns, file)}
				}}
			}
			inOrder = append(inOrder, from("cqlsh COPY FROM, rows in the order of their partitions", ordered, eventColumns))
			spread = append(spread, from("cqlsh COPY FROM, each row a partition", scattered, scatteredColumns))
		}
		b.copies(inOrder, "command_load", name)
		b.writes(spread, b.rows)
		t := &table{columns: cqlshColumns}
		for _, group := range []struct {
			contenders []contender
			wanted     []string
		}{{inOrder, []string{"≥ 4"}}, {spread, []string{"", "", "≥ 3"}}} {
			if err := b.againstCQLSH(ctx, t, group.contenders, group.wanted, missing == nil); err != nil {
				return nil, err
			}
		}
		t.notes = append(t.notes, cqlshNote(cqlsh, missing), "Every table was read back by hand: the count and a checksum of all rows agree with the file.")
		return t, nil
	},
}

// againstCQLSH runs contenders, the last of which is cqlsh if there is one, and adds their lines.
func (b *bench) againstCQLSH(ctx context.Context, t *table, contenders []contender, wanted []string, cqlsh bool) error {
	runs, err := b.duel(ctx, "command-load", contenders)
	if err != nil {
		return err
	}
	var baseline []outcome
	if cqlsh {
		baseline = runs[len(runs)-1]
		t.add(cqlshCells(contenders[len(runs)-1].label, "", baseline, baseline)...)
	}
	for i, w := range wanted {
		t.add(cqlshCells(contenders[i].label, w, runs[i], baseline)...)
	}
	return nil
}

// csvRow is a row that has a line in a file of CSV.
type csvRow interface{ line() string }

func (e event) line() string {
	return fmt.Sprintf("%d,%d,%d,%d,%s\n", e.Sensor, e.Seq, e.Kind, e.At, e.Note)
}

func (r scatteredRow) line() string {
	return fmt.Sprintf("%d,%d,%d,%d,%s\n", r.ID, r.Sensor, r.Kind, r.At, r.Note)
}

// writeCSV makes sure that a file with so many rows is in the folder of the run.
func writeCSV[T csvRow](b *bench, name string, rows int64, at func(i int64) T) (path string, err error) {
	path = filepath.Join(b.folder, fmt.Sprintf("%s_%d.csv", name, rows))
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return "", err
	}
	w := bufio.NewWriter(f)
	for i := range rows {
		_, _ = w.WriteString(at(i).line()) // Flush returns the error
	}
	return path, errors.Join(w.Flush(), f.Close())
}
