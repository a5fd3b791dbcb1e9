package main

import (
	"context"
	"fmt"
	"time"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
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
	p, err := rxcql.New(
		source.Seq(file.rows),
		sink.Table[Flight](j.session, j.opts.table("flights")),
		j.pipelineOptions()...)
	if err != nil {
		return nil, err
	}
	report, err := j.run(ctx, p, "Loading", func(rep rxcql.Report) state {
		done, total := file.position()
		return state{done, total, fmt.Sprintf("%s flights%s", thousands(rep.Written), rate(rep.Written, rep.Duration))}
	})
	if err != nil {
		return &report, fmt.Errorf("load the flights: %w", err)
	}
	j.out.printf("Loaded      %s flights from %s in %.1f s%s\n", thousands(report.Written), file.name,
		report.Duration.Seconds(), rate(report.Written, report.Duration))
	return &report, nil
}

func (j *job) pipelineOptions() []rxcql.Option {
	return []rxcql.Option{
		rxcql.WithBudget(j.opts.budget),
		rxcql.WithWorkers(j.opts.workers),
		rxcql.WithGrace(0), // the second signal cancels at once; all writes here can be repeated
	}
}

// run runs a pipeline, shows how far it is, and stops it at the first signal.
func (j *job) run(ctx context.Context, p *rxcql.Pipeline, label string, now func(rxcql.Report) state) (rxcql.Report, error) {
	end := j.out.show(label, func() state { return now(p.Progress()) })
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
