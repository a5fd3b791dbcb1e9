package main

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"time"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// job is what the steps have in common.
type job struct {
	session *gocql.Session
	opts    options
	signals *signals
	out     *screen
}

// load writes the flights of a file into table flights. They are upserts of
// keys that the file gives, so doing it again changes nothing.
func (j *job) load(ctx context.Context, file *flightFile) (*rxcql.Report, error) {
	flights, err := j.flights(file)
	if err != nil {
		return nil, err
	}
	p, err := rxcql.New(flights, sink.Table[Flight](j.session, j.opts.table("flights"), sink.BatchByReplicaSet(0, 0)),
		j.pipelineOptions("load")...)
	if err != nil {
		return nil, err
	}
	report, err := j.run(ctx, p, "Loading", func(rep rxcql.Report) string {
		return fmt.Sprintf("%s flights%s", thousands(rep.Written), rate(rep.Written, rep.Duration))
	})
	if err != nil {
		return &report, fmt.Errorf("load the flights: %w", err)
	}
	j.out.printf("Loaded      %s flights from %s in %.1f s%s%s\n", thousands(report.Written), file.name,
		report.Duration.Seconds(), rate(report.Written, report.Duration), resumed(report))
	return &report, nil
}

// flights are the rows of a file; with checkpoints they can be read from any of
// them on.
func (j *job) flights(file *flightFile) (rxcql.Stream[Flight], error) {
	far := source.Measure(func() (done, total int64) { return file.position() }) // bytes of the file
	if j.opts.checkpoint == "" {
		return source.Seq(file.rows, far), nil
	}
	sum, err := file.sum()
	if err != nil {
		return rxcql.Stream[Flight]{}, err
	}
	return source.SeqFrom("sha256:"+sum, func(from int64) iter.Seq2[Flight, error] {
		return func(yield func(Flight, error) bool) {
			for flight, err := range file.rows {
				if from--; from >= 0 && err == nil {
					continue
				}
				if !yield(flight, err) {
					return
				}
			}
		}
	}, far), nil
}

// pipelineOptions are those of one step.
func (j *job) pipelineOptions(step string) []rxcql.Option {
	opts := []rxcql.Option{
		rxcql.WithBudget(j.opts.budget),
		rxcql.WithWorkers(j.opts.workers),
		rxcql.WithGrace(0), // the second signal cancels at once; all writes here can be repeated
	}
	if j.opts.checkpoint != "" {
		file := checkpoint.File(filepath.Join(j.opts.checkpoint, "etl-"+step+".checkpoint"))
		opts = append(opts, rxcql.WithCheckpoint(file, "etl-"+step, rxcql.RunOnce()))
	}
	return opts
}

// resumed is ", after 1,200 of earlier runs", or nothing.
func resumed(rep rxcql.Report) string {
	if !rep.Resumed {
		return ""
	}
	return ", after " + thousands(rep.ResumedRows) + " of earlier runs"
}

// run runs a pipeline, shows how far it is, and stops it at the first signal.
func (j *job) run(ctx context.Context, p *rxcql.Pipeline, label string, text func(rxcql.Report) string) (rxcql.Report, error) {
	end := j.out.show(label, func() state {
		rep := p.Progress()
		return state{rep.Estimate, text(rep)}
	})
	defer end()
	return j.signals.run(ctx, p, func() {
		j.out.printf("Stopping    what has been read is being written; once more cancels at once\n")
	})
}

// rate is ", 41,200/s", or nothing when it is too early to say.
func rate(rows int64, d time.Duration) string {
	if d < 200*time.Millisecond {
		return ""
	}
	return ", " + thousands(int64(float64(rows)/d.Seconds())) + "/s"
}
