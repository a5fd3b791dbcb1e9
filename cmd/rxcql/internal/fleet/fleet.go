package fleet

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/kept"
)

// ErrStopped is the cause of a context that a signal has cancelled.
var ErrStopped = errors.New("stopped by a signal")

// Config is how the jobs of a run are run.
type Config struct {
	AtOnce   int  // how many jobs run at a time
	FailFast bool // the first job that fails stops the others, in order
	// Ended is told of each outcome as it comes, one at a time. It may be nil.
	Ended func(o Outcome)
}

// Fleet is one run of several jobs.
type Fleet struct {
	tasks []Task
	cfg   Config

	mu       sync.Mutex
	stopping bool
	live     []*Task
	ended    int
}

// New makes a run of jobs. Nothing begins before Run.
func New(tasks []Task, cfg Config) *Fleet {
	cfg.AtOnce = min(max(cfg.AtOnce, 1), max(len(tasks), 1))
	if cfg.Ended == nil {
		cfg.Ended = func(Outcome) {}
	}
	return &Fleet{tasks: tasks, cfg: cfg}
}

// Run runs all jobs, in their order, and returns the outcome of each in that order. It returns when
// nothing of them is left running.
func (f *Fleet) Run(ctx context.Context) []Outcome {
	outcomes := make([]Outcome, len(f.tasks))
	var group errgroup.Group
	group.SetLimit(f.cfg.AtOnce)
	for i := range f.tasks {
		group.Go(func() error {
			outcomes[i] = f.one(ctx, &f.tasks[i])
			return nil
		})
	}
	_ = group.Wait() // errors are in the outcomes
	return outcomes
}

// one runs a job when its turn has come.
func (f *Fleet) one(ctx context.Context, t *Task) (o Outcome) {
	defer func() { f.end(t, o) }()
	defer func() { // a panic is an error of this table
		if v := recover(); v != nil {
			o = t.outcome(Result{Begun: true}, Fault(v), false)
		}
	}()
	if !f.begin(ctx, t) {
		return Outcome{Job: t.Name, Table: t.Table, Status: NotBegun, FromEmpty: t.FromEmpty}
	}
	if t.Kept != nil {
		defer func() {
			if err := t.Kept.Release(); err != nil && o.err == nil {
				o = t.outcome(Result{}, err, false)
			}
		}()
	}
	o, there, anew, err := t.goOn(ctx)
	switch {
	case err != nil:
		o = t.outcome(Result{}, err, false)
		o.Resumed = t.Kept.There() && !kept.Refused(err)
		return o
	case there:
		return o
	}
	there = t.Kept != nil && t.Kept.There()
	r, err := t.Job.Run(ctx)
	o = t.outcome(r, err, f.isStopping())
	if err == nil && r.Complete {
		if err := t.keep(ctx, o); err != nil {
			o = t.outcome(r, err, false)
		}
	}
	o.Anew, o.Resumed = anew, r.Resumed || there && !r.Begun
	return o
}

// Forget removes what the run has kept, if each job has come to its end: a run of the same command
// is then a new one. Call it when the outcomes have been reported.
func (f *Fleet) Forget(ctx context.Context) error {
	var errs []error
	for i := range f.tasks {
		if !f.tasks[i].complete {
			return nil
		}
	}
	for i := range f.tasks {
		if place := f.tasks[i].Kept; place != nil {
			errs = append(errs, place.Forget(context.WithoutCancel(ctx)))
		}
	}
	return errors.Join(errs...)
}

// begin reports whether the job may begin.
func (f *Fleet) begin(ctx context.Context, t *Task) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopping || ctx.Err() != nil {
		return false
	}
	f.live = append(f.live, t)
	return true
}

func (f *Fleet) end(t *Task, o Outcome) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.live = slices.DeleteFunc(f.live, func(other *Task) bool { return other == t })
	f.ended++
	f.cfg.Ended(o)
	if f.cfg.FailFast && o.Status == Failed {
		f.stop()
	}
}

// Stop ends the run in order: no further job begins, and those that run are stopped. It does not
// wait for that.
func (f *Fleet) Stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stop()
}

func (f *Fleet) stop() {
	f.stopping = true
	for _, t := range f.live {
		t.Job.Stop()
	}
}

func (f *Fleet) isStopping() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stopping
}

// Live is a job that runs, as it is now.
type Live struct {
	Table string
	Now   rxcql.Report
	At    time.Time
}

// Progress returns the jobs that run now, in the order in which they began, and how many of all
// have ended.
func (f *Fleet) Progress() (live []Live, ended, all int) {
	f.mu.Lock()
	tasks := slices.Clone(f.live)
	ended, all = f.ended, len(f.tasks)
	f.mu.Unlock()
	for _, t := range tasks {
		live = append(live, Live{Table: t.Table, Now: t.Job.Progress(), At: time.Now()})
	}
	return live, ended, all
}
