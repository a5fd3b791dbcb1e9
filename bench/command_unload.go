package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const eventColumns = "sensor,seq,kind,at,note"

var commandUnloadFigure = figure{
	name:  "command-unload",
	title: "rxcql unload to CSV against cqlsh COPY TO",
	run: func(ctx context.Context, b *bench) (*table, error) {
		name, err := b.events(ctx)
		if err != nil {
			return nil, err
		}
		program, err := b.rxcql(ctx)
		if err != nil {
			return nil, err
		}
		file := filepath.Join(b.folder, "unloaded.csv")
		contenders := []contender{{label: "rxcql unload", child: runCommand, job: job{Command: program}, args: func(j job) []string {
			return rxcqlArgs("unload", j.Keyspace+"."+j.Table, "--out", file, "--columns", eventColumns, "--header", "no")
		}}}
		cqlsh, missing := findCQLSH()
		if missing == nil {
			contenders = append(contenders, contender{label: "cqlsh COPY TO", child: runCQLSH, job: job{Command: cqlsh}, args: func(j job) []string {
				return []string{fmt.Sprintf("COPY %s.%s (%s) TO '%s'", j.Keyspace, j.Table, eventColumns, file)}
			}})
		}
		for i := range contenders {
			c := &contenders[i]
			c.job.Keyspace, c.job.Table, c.job.Rows = b.server.keyspace, name, b.rows
			c.after = func(_ context.Context, _ job, _ outcome) error {
				got, err := checksumCSV(file)
				if want := b.server.loaded[name]; err == nil && got != want {
					err = fmt.Errorf("%s: the file has %d rows with checksum %x, and not %d with %x",
						c.label, got.Rows, uint64(got.Sum), want.Rows, uint64(want.Sum))
				}
				return errors.Join(err, os.Remove(file))
			}
		}
		runs, err := b.duel(ctx, "command-unload", contenders)
		if err != nil {
			return nil, err
		}
		t := &table{columns: cqlshColumns}
		var baseline []outcome
		if missing == nil {
			baseline = runs[1]
			t.add(cqlshCells(contenders[1].label, "", baseline, baseline)...)
		}
		t.add(cqlshCells(contenders[0].label, "≥ 4", runs[0], baseline)...)
		t.notes = append(t.notes, cqlshNote(cqlsh, missing), "Every file was read back: the count and a checksum of all rows agree with the table.")
		return t, nil
	},
}

// checksumCSV is that of a file of events, in the order of eventColumns and without quotes.
func checksumCSV(path string) (t tally, err error) {
	f, err := os.Open(path)
	if err != nil {
		return t, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		fields := strings.SplitN(strings.TrimSuffix(lines.Text(), "\r"), ",", 5)
		if len(fields) != 5 {
			return t, fmt.Errorf("line %d has %d fields", t.Rows+1, len(fields))
		}
		var numbers [4]int64
		for i := range numbers {
			if numbers[i], err = strconv.ParseInt(fields[i], 10, 64); err != nil {
				return t, fmt.Errorf("line %d: %w", t.Rows+1, err)
			}
		}
		e := event{Sensor: int32(numbers[0]), Seq: int32(numbers[1]), Kind: int32(numbers[2]), At: numbers[3], Note: fields[4]}
		t.add(tally{1, e.hash()})
	}
	return t, lines.Err()
}
