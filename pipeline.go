package rxcql

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"
)

// Pipeline is a stream and the sink that it drains into. It may be run several times, one after the
// other, if its source can.
type Pipeline struct {
	root   *node
	cfg    config
	check  func(ctx context.Context) error
	launch func(ctx context.Context, r *Execution) error

	sinks sinkTree

	mu   sync.Mutex
	run  *Execution // the latest
	live bool

	stopped bool // Stop was called while nothing ran
}

// New puts a pipeline together. It does no I/O. One error, which wraps ErrConfig, reports
// everything that is wrong with the options of the stream, of the sink and of the pipeline, and
// everything that cannot be part of a job with a checkpoint (ErrNotResumable).
func New[T any](stream Stream[T], sink Sink[T], opts ...Option) (*Pipeline, error) {
	var sinks sinkTree
	root, sinkErr := cmp.Or(stream.node, &node{}), errors.New("the sink is nil")
	if !isNil(sink) {
		sinks = describe(sink, root)
		sinkErr = sinks.configError()
	}
	cfg, err := prepare(stream.node, opts, sinkErr)
	if err := errors.Join(err, resumable(root, cfg, sinks)); err != nil {
		return nil, err
	}
	p := &Pipeline{root: root, cfg: cfg, sinks: sinks}
	p.check = func(ctx context.Context) error {
		errs := []error{checkTree(ctx, root)}
		for _, inside := range sinks.streams() {
			errs = append(errs, checkTree(ctx, inside))
		}
		err := protect(sinkName, func() error { return sink.Check(ctx) })
		if err != nil && sinks.stages() == nil { // the others name their stages themselves
			err = fmt.Errorf("%s: %w", sinks.names()[0], err)
		}
		return errors.Join(append(errs, err, cfg.rowErrors.check(ctx))...)
	}
	p.launch = func(ctx context.Context, r *Execution) error {
		for _, inside := range sinks.streams() { // now, so that stages get the same names in every run
			r.stage(inside)
		}
		return drain(ctx, r, stream, sink)
	}
	return p, nil
}

// Run puts a pipeline together and runs it once: it calls New and Pipeline.Run, and returns their
// errors. Make the Pipeline yourself to check it first, to watch it (Progress), to stop it in order
// (Stop) or to run it again. If New fails the Report is zero.
func Run[T any](ctx context.Context, stream Stream[T], sink Sink[T], opts ...Option) (Report, error) {
	p, err := New(stream, sink, opts...)
	if err != nil {
		return Report{}, err
	}
	return p.Run(ctx)
}

func isNil(sink any) bool {
	v := reflect.ValueOf(sink)
	return !v.IsValid() || (v.Kind() == reflect.Pointer || v.Kind() == reflect.Func) && v.IsNil()
}

// prepare applies the options and joins everything that is wrong with them, with the tree and with
// the sink. A nil root is the zero Stream.
func prepare(root *node, opts []Option, sinkErr error) (config, error) {
	var errs []error
	if root == nil {
		errs = append(errs, errors.New("the stream is the zero Stream; make one with package source"))
		root = &node{}
	}
	inputs := 0
	root.walk(func(n *node) {
		if n.info.Source {
			inputs++
		}
		if n.info.Err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", n.info.Name, n.info.Err))
		}
	})
	cfg, err := configure(opts, inputs)
	if err := errors.Join(append(onceEach(errs), err, sinkErr)...); err != nil {
		return cfg, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	return cfg, nil
}

// Check compares every stage and the sink with the server: tables, columns and types. It reads only
// the schema, and reports everything that is wrong at once. It does not look at permissions: the
// first request that lacks one ends the run.
func (p *Pipeline) Check(ctx context.Context) error {
	return p.check(withRetry(ctx, p.cfg, nil))
}

// Run calls Check, reads the stream into the sink, and returns when nothing of that is left
// running.
//
// A nil error means one of two things:
//
//   - Every range was read to its end and every receipt is settled (Report.Complete).
//   - An operator such as Take, or Stop, ended the stream on purpose; Report.EndedBy names it.
//
// If ctx ends, the error wraps its cause, and writes in flight get the grace period to finish. The
// report is filled with or without an error, except when the pipeline is running already
// (ErrRunning).
//
// Other errors, for errors.Is and errors.As:
//
//   - what Check finds: ErrSchema, ErrConfig;
//   - StageError, from the stage that failed: around a RowError if the place in the source is
//     known, and around a RetryError if a request failed until the limit of WithRetry;
//   - ErrUnread, if parts of a table could not be read, and all else was read and written;
//   - ErrSkipLimit, ErrUnknownOutcome, ErrBudgetHeld, and the ErrCheckpoint kinds.
func (p *Pipeline) Run(ctx context.Context) (Report, error) {
	runCtx, cancel := ownContext(ctx)
	defer cancel(nil)
	r := newRun(runCtx, p.root, p.cfg, cancel)
	r.markFrontiers(p.sinks)
	p.mu.Lock()
	if p.live {
		p.mu.Unlock()
		return Report{}, ErrRunning
	}
	p.run, p.live = r, true
	if p.stopped {
		p.stopped = false
		r.stop()
	}
	p.mu.Unlock()
	defer func() {
		p.mu.Lock()
		p.live = false
		p.mu.Unlock()
	}()
	runCtx = r.begun(runCtx, p.sinks.names())
	defer r.left(runCtx)
	r.logStart(runCtx, p.sinks.names())
	runCtx = withRetry(runCtx, p.cfg, r)
	err := r.watched(runCtx, func() error {
		return r.withJob(runCtx, p.sinks, func() error { return p.check(runCtx) }, func() error {
			return r.judged(runCtx, func() error { return p.launch(runCtx, r) })
		})
	})
	return r.finish(runCtx, err)
}

// finish makes the report and the error of a run from the error that it ended with.
func (r *Execution) finish(ctx context.Context, err error) (Report, error) {
	rep := r.report()
	err = r.ends(ctx, &rep, r.conclude(ctx, &rep, err))
	return rep, err
}

// cutShort is finish for a loop that was left, and for a run that a panic leaves.
func (r *Execution) cutShort(ctx context.Context, err error) (Report, error) {
	rep := r.report()
	rep.Estimate.Left, rep.Estimate.LeftKnown = 0, false
	err = r.ends(ctx, &rep, err)
	return rep, err
}

// left is deferred by who runs it: the end is told also where a function of the user's ends
// the goroutine, as FailNow of a test does, or panics where nobody recovers.
func (r *Execution) left(ctx context.Context) {
	if !r.ended {
		_, _ = r.cutShort(ctx, errLeft)
	}
}

var errLeft = errors.New("rxcql: the run was left by a panic or by runtime.Goexit")

// ends tells hooks and the log of the end, and returns what the run returns.
func (r *Execution) ends(ctx context.Context, rep *Report, err error) error {
	r.ended = true
	err = r.over(rep, err)
	r.logEnd(ctx, rep, err)
	return err
}

// conclude completes and keeps the report, and returns the error of the run.
func (r *Execution) conclude(ctx context.Context, rep *Report, err error) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err == nil {
		err = r.failed
	}
	if err == nil && rep.PagesSettled+rep.PagesGivenUp != rep.Pages && !r.abandoned.Load() {
		err = r.unsettled()
	}
	if err == nil {
		err = r.unread.err()
	}
	err = cause(ctx, r.ownError(err))
	if r.failed != nil && !errors.Is(err, r.failed) && !errors.Is(r.failed, err) { // such as a write that failed after a cancel
		err = errors.Join(err, r.failed)
	}
	err = rep.naming(err)
	rep.Complete = err == nil && rep.EndedBy == ""
	if rep.Estimate.Left, rep.Estimate.LeftKnown = 0, rep.Complete; rep.Complete {
		rep.Estimate.Known, rep.Estimate.Fraction, rep.Estimate.Rows = true, 1, rep.ReadRows+rep.ResumedRows
	}
	last := *rep
	last.Stages, last.RowErrors = slices.Clone(rep.Stages), slices.Clone(rep.RowErrors)
	last.Unread = slices.Clone(rep.Unread)
	r.last = &last
	return err
}

// Stop ends a run early and in order: reading stops, what has been read is written and settled, and
// Run returns without an error. The report is not Complete, and its EndedBy is EndedByStop. Stop
// does not wait for that. Before the first Run it makes that run end so: a signal between New and
// Run is not lost. After a run it does nothing.
func (p *Pipeline) Stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.live {
		p.run.stop()
		return
	}
	p.stopped = p.run == nil
}

// Progress returns a snapshot of the current run, or else of the last one; before the first run it
// is a zero Report. It may be called from any goroutine at any time.
func (p *Pipeline) Progress() Report {
	p.mu.Lock()
	r := p.run
	p.mu.Unlock()
	if r == nil {
		return Report{}
	}
	return r.snapshot()
}
