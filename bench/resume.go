package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/source"
)

var resumeFigure = figure{
	name:  "resume",
	title: "from the start of a job to its first row",
	run: func(ctx context.Context, b *bench) (*table, error) {
		rows := 10 * b.rows
		name, err := b.samples(ctx, rows)
		if err != nil {
			return nil, err
		}
		folder, err := os.MkdirTemp("", "rxcql-bench-")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(folder)
		half := filepath.Join(folder, "half.checkpoint")
		j := job{Keyspace: b.server.keyspace, Table: name, Checkpoint: half}
		if _, settled, err := b.until(ctx, j, rows/2); err != nil {
			return nil, err
		} else if settled != 0 {
			return nil, fmt.Errorf("the first run went on after %d rows", settled)
		}
		data, err := os.ReadFile(half)
		if err != nil {
			return nil, err
		}
		var fresh, resumed []float64
		var settled int64
		for n := range b.pairs {
			j.Checkpoint = filepath.Join(folder, fmt.Sprint("fresh-", n))
			first, _, err := b.until(ctx, j, 1)
			if err != nil {
				return nil, err
			}
			fresh = append(fresh, first.Seconds())
			j.Checkpoint = filepath.Join(folder, fmt.Sprint("resumed-", n))
			if err := os.WriteFile(j.Checkpoint, data, 0o600); err != nil {
				return nil, err
			}
			if first, settled, err = b.until(ctx, j, 1); err != nil {
				return nil, err
			}
			resumed = append(resumed, first.Seconds())
		}
		t := &table{columns: []string{"scan of " + fmt.Sprint(rows) + " rows with a checkpoint", "to the first row, ms"}}
		t.add("begun", spreadOf(fresh).in("%.0f", 1e-3))
		t.add(fmt.Sprintf("gone on after %d rows", settled), spreadOf(resumed).in("%.0f", 1e-3))
		t.notes = append(t.notes, fmt.Sprintf("With the check of the schema, the lock, the load and the first save. The checkpoint has %d bytes.", len(data)))
		return t, nil
	},
}

// until runs a job and stops it after so many rows. It returns how long the first
// row took, and how many were settled before.
func (b *bench) until(ctx context.Context, j job, rows int64) (first time.Duration, settled int64, err error) {
	var p *rxcql.Pipeline
	var begin time.Time
	to := &counting[sample]{
		of:    func(s sample) int64 { return s.Value },
		first: func() { first = time.Since(begin) },
		stop:  func(n int64) bool { return n >= rows },
		end:   func() { p.Stop() },
	}
	p, err = rxcql.New(source.Table[sample](b.server.session, j.Keyspace+"."+j.Table), rxcql.Sink[sample](to), j.options()...)
	if err != nil {
		return 0, 0, err
	}
	begin = time.Now()
	report, err := p.Run(ctx)
	if err == nil && report.EndedBy != rxcql.EndedByStop {
		err = fmt.Errorf("the run was not stopped: %s", report)
	}
	return first, report.ResumedRows, err
}
