package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

var checkpointFigure = figure{
	name:  "checkpoint",
	title: "what a checkpoint in a file, saved every second, costs",
	run: func(ctx context.Context, b *bench) (*table, error) {
		t := &table{columns: []string{"job", "client CPU, ns a row", "ratio to the job without", "wanted", "wall, s"}}
		large, err := b.samples(ctx, 10*b.rows) // so that there are several saves
		if err != nil {
			return nil, err
		}
		scan := contender{child: jobScan, job: job{Keyspace: b.server.keyspace, Table: large, Rows: 10 * b.rows}}
		if err := b.versus(ctx, t, "scan", scan); err != nil {
			return nil, err
		}
		name, err := b.events(ctx)
		if err != nil {
			return nil, err
		}
		targets := 0
		copying := contender{child: jobCopy, job: job{Keyspace: b.server.keyspace, Table: name, Rows: b.rows}}
		copying.before = func(ctx context.Context, j *job) error {
			targets++
			j.Target = fmt.Sprintf("job_copy_%d", targets)
			return b.server.createEvents(ctx, j.Target)
		}
		copying.after = func(ctx context.Context, j job, _ outcome) error { return b.proveCopy(ctx, "copy", j) }
		return t, b.versus(ctx, t, "copy", copying)
	},
}

// versus runs a job without a checkpoint and with one.
func (b *bench) versus(ctx context.Context, t *table, name string, c contender) error {
	folder, err := os.MkdirTemp("", "rxcql-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)
	without, with := c, c
	without.label, with.label = name+" without", name+" with"
	with.job.Checkpoint = filepath.Join(folder, "job.checkpoint")
	runs, err := b.duel(ctx, "checkpoint-"+name, []contender{without, with})
	if err != nil {
		return err
	}
	for i, wanted := range []string{"", "≤ 1.03"} {
		against := "1"
		if i > 0 {
			against = "**" + ratio(runs[1], runs[0], perRow).in("%.3f", 1) + "**"
		}
		t.add([]string{without.label, with.label}[i], each(runs[i], perRow).nanos(), against, wanted,
			each(runs[i], func(o outcome) float64 { return o.Wall.Seconds() }).in("%.2f", 1))
	}
	return nil
}

var (
	jobScan = register("job-scan", func(ctx context.Context, j job) (func() (tally, error), func(), error) {
		return runJob(ctx, j, func(session sessionOf) (*rxcql.Pipeline, *tally, error) {
			counted := &counting[sample]{of: func(s sample) int64 { return s.Value }}
			p, err := rxcql.New(source.Table[sample](session, j.Keyspace+"."+j.Table), rxcql.Sink[sample](counted), j.options()...)
			return p, &counted.tally, err
		})
	})
	jobCopy = register("job-copy", func(ctx context.Context, j job) (func() (tally, error), func(), error) {
		return runJob(ctx, j, func(session sessionOf) (*rxcql.Pipeline, *tally, error) {
			p, err := rxcql.New(source.Table[rxcql.Row](session, j.Keyspace+"."+j.Table),
				sink.Table[rxcql.Row](session, j.Keyspace+"."+j.Target), j.options()...)
			return p, nil, err
		})
	})
)

// options are those of a job, with a checkpoint if it is to have one.
func (j job) options() []rxcql.Option {
	opts := []rxcql.Option{rxcql.WithWorkers(scanWorkers)}
	if j.Checkpoint != "" {
		opts = append(opts, rxcql.WithCheckpoint(checkpoint.File(j.Checkpoint), "bench"))
	}
	return opts
}

// runJob is a contender that runs a pipeline to its end.
func runJob(ctx context.Context, j job, pipeline func(sessionOf) (*rxcql.Pipeline, *tally, error)) (func() (tally, error), func(), error) {
	session, err := connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	return func() (tally, error) {
		p, counted, err := pipeline(session)
		if err != nil {
			return tally{}, err
		}
		report, err := p.Run(ctx)
		switch {
		case err != nil:
			return tally{}, err
		case !report.Complete || (report.Saves > 0) != (j.Checkpoint != ""):
			return tally{}, fmt.Errorf("the run is not as it was to be: %s, %d saves", report, report.Saves)
		case counted != nil:
			return *counted, nil
		}
		return tally{Rows: report.Written}, nil
	}, session.Close, nil
}
