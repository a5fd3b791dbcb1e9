package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/rxcql/rxcql"
)

// worker keeps a pipeline running: one that fails is made and run again.
type worker struct {
	name     string
	pipeline func(before error) (*rxcql.Pipeline, error) // before is how the last run ended; nil if there was none
	log      *slog.Logger
	stopping context.Context // ends with stop
	quit     func()

	mu    sync.Mutex
	first *rxcql.Pipeline // that is checked and has not run
	now   *rxcql.Pipeline
	err   error // why it does not run, or has not run for long; nil while it does
}

const (
	// again is how long a worker waits before it runs again.
	again = time.Second
	// steady is how long a pipeline that has failed must run to count as one that runs: longer than
	// one runs that gets no answer to its first request, by retryFor and the driver's timeout.
	steady = 30 * time.Second
	// seldom is how long a worker waits after a failure that somebody has to put right.
	seldom = 30 * time.Second
)

var errNotYet = errors.New("not started yet")

func newWorker(name string, log *slog.Logger, pipeline func(before error) (*rxcql.Pipeline, error)) *worker {
	w := &worker{name: name, pipeline: pipeline, log: log, err: errNotYet}
	w.stopping, w.quit = context.WithCancel(context.Background())
	return w
}

// check finds what is wrong with the pipeline itself, before anything is served. The first run is
// of the pipeline that check has made: to a second one those who watch already would be watchers
// of an earlier run, who may have missed windows.
func (w *worker) check(ctx context.Context) error {
	p, err := w.pipeline(nil)
	if err != nil {
		return err
	}
	if err := p.Check(ctx); err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.first = p
	return nil
}

// next is the pipeline of the next run.
func (w *worker) next(before error) (*rxcql.Pipeline, error) {
	w.mu.Lock()
	checked := w.first
	w.first = nil
	w.mu.Unlock()
	if checked != nil {
		return checked, nil
	}
	return w.pipeline(before)
}

// run returns after stop, when what was read is written, or when ctx has ended.
func (w *worker) run(ctx context.Context) {
	var before error
	for ctx.Err() == nil {
		before = w.once(ctx, before)
		last := w.ended(before)
		if err := w.health(); err != nil && !w.elsewhere() {
			w.log.Error("a pipeline has failed", "pipeline", w.name, "error", helpful(err), "again", !last)
		}
		if last {
			return
		}
		select {
		case <-time.After(pause(before)):
		case <-w.stopping.Done():
			return
		case <-ctx.Done():
		}
	}
}

// pause is how long to wait after a run.
func pause(err error) time.Duration {
	if errors.Is(err, rxcql.ErrCheckpointForeign) {
		return seldom
	}
	return again
}

// helpful says of a failure that does not pass by itself what to do about it.
func helpful(err error) error {
	if errors.Is(err, rxcql.ErrCheckpointForeign) {
		return fmt.Errorf("%w; if tables were dropped and made again: stop all instances, empty the table jobs, and start again, "+
			"and windows of the last %v are made anew", err, kept)
	}
	return err
}

func (w *worker) once(ctx context.Context, before error) error {
	p, err := w.next(before)
	if err != nil {
		return err
	}
	wait := w.unsure()
	if wait > 0 { // servers may be away: it takes long to find that out, and that is not running
		checking, done := context.WithCancel(ctx)
		defer done()
		defer context.AfterFunc(w.stopping, done)() //nolint:contextcheck // it ends with stop, and that not with ctx
		switch err := p.Check(checking); {
		case w.stopping.Err() != nil: // nothing was read since
			return before
		case err != nil:
			return err
		}
	}
	w.mu.Lock()
	w.now = p
	if w.stopping.Err() != nil {
		p.Stop()
	}
	w.mu.Unlock()
	runs := time.AfterFunc(wait, func() { w.runs(p) })
	defer runs.Stop()
	_, err = p.Run(ctx)
	return err
}

// unsure is how long the next run must last to count as one that runs.
func (w *worker) unsure() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case errors.Is(w.err, errNotYet):
		return 0
	case errors.Is(w.err, rxcql.ErrCheckpointLocked): // that is no failure
		return again
	}
	return steady
}

// runs notes that a pipeline runs, unless it has ended already.
func (w *worker) runs(p *rxcql.Pipeline) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.now == p {
		w.err = nil
	}
}

// ended notes how a run has ended, and reports whether there is to be no other.
func (w *worker) ended(err error) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	last := w.stopping.Err() != nil
	if err == nil && !last {
		err = errors.New("it has come to an end")
	}
	w.now, w.err = nil, err
	return last
}

// stop ends the reading. What has been read is written.
func (w *worker) stop() {
	w.quit()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.now != nil {
		w.now.Stop()
	}
}

// elsewhere reports whether another instance runs the pipeline.
func (w *worker) elsewhere() bool { return errors.Is(w.health(), rxcql.ErrCheckpointLocked) }

// health returns nil while the pipeline runs.
func (w *worker) health() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.err
}
