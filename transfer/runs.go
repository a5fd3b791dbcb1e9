package transfer

import (
	"context"
	"sync"

	"github.com/rxcql/rxcql"
)

// runs runs the pipelines of a job one after the other. It is the part that the jobs of all verbs
// share: they embed it.
type runs struct {
	mu       sync.Mutex
	live     bool // between begin and its end
	begun    bool // begin was called once
	stopped  bool
	pipeline *rxcql.Pipeline // the one that runs now, or ran last
}

// Stop ends a run early and in order: reading stops, what has been read is written and settled, and
// Run returns without an error; its report is not Complete. Stop does not wait for that. Before the
// first Run it makes that run end so. After a run it does nothing.
func (r *runs) Stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.begun && !r.live {
		return
	}
	r.stopped = true
	if r.live && r.pipeline != nil {
		r.pipeline.Stop()
	}
}

// Progress returns a snapshot of what runs now, or else of what ran last. Of a job with several
// steps it is the step that runs. It may be called from any goroutine at any time.
func (r *runs) Progress() rxcql.Report {
	r.mu.Lock()
	p := r.pipeline
	r.mu.Unlock()
	if p == nil {
		return rxcql.Report{}
	}
	return p.Progress()
}

// begin begins a run of the job. The caller defers what it returns. The error is rxcql.ErrRunning
// if the job runs already.
func (r *runs) begin() (over func(), err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.live {
		return nil, rxcql.ErrRunning
	}
	r.live, r.begun = true, true
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.live, r.stopped = false, false
	}, nil
}

// run runs a pipeline as a step of the job. If the job has been stopped the pipeline ends at once,
// as one that was stopped.
func (r *runs) run(ctx context.Context, p *rxcql.Pipeline) (rxcql.Report, error) {
	r.mu.Lock()
	r.pipeline = p
	if r.stopped {
		p.Stop()
	}
	r.mu.Unlock()
	return p.Run(ctx)
}

// isStopped reports whether Stop was called, for steps that are no pipeline.
func (r *runs) isStopped() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stopped
}
