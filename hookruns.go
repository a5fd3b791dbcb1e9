package rxcql

import (
	"context"
	"errors"
	"time"

	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/rx"
	"github.com/rxcql/rxcql/internal/saved"
)

// begun tells hooks of the start of a run, and makes the context that they return the run's. It is
// called before anything of the run is at work.
func (r *Execution) begun(ctx context.Context, sinks []string) context.Context {
	r.ctx, r.over = ctx, func(_ *Report, err error) error { return err }
	r.budget.OnWait(r.budgetWaits())
	if !runs.heard(r.cfg.hooks) {
		return ctx
	}
	e := RunEvent{Sources: r.sources(), Sinks: sinks, Start: r.start}
	if r.cfg.checkpoint != nil {
		e.Job = r.cfg.checkpoint.job
	}
	ctx, end := runs.begin(ctx, r, runStage, e)
	r.ctx = ctx
	r.over = func(rep *Report, err error) error {
		r.mu.Lock()
		before := r.failed
		r.failed = nil
		r.mu.Unlock()
		e.Duration, e.Report, e.Err = rep.Duration, *rep, r.masked(err)
		if e.ErrorType, _ = r.told(ctx, err); before != nil { // then that is why ctx has ended
			e.ErrorType = driver.Classify(err).String()
		}
		end(e)
		r.mu.Lock()
		defer r.mu.Unlock()
		late := r.failed
		if r.failed = before; late == nil {
			return err
		}
		if rep.Complete = false; rep.Estimate.Fraction == 1 {
			rep.Estimate = Estimate{Known: true, Fraction: almostAll, Rows: rep.Estimate.Rows}
		}
		if r.last != nil { // set if the caller's loop was left
			r.last.Complete, r.last.Estimate = false, rep.Estimate
		}
		return errors.Join(err, late)
	}
	return ctx
}

// runStage is the stage in the error of a panic in a hook whose event has no stage.
const runStage = "Hooks"

// maskedError is an error with the text that the log has.
type maskedError struct {
	error
	text string
}

func (e *maskedError) Error() string { return e.text }

func (e *maskedError) Unwrap() error { return e.error }

// masked returns an error whose text may be shown: err itself if it has no words of users.
func (r *Execution) masked(err error) error {
	if err == nil || r.said == nil && len(sayings(err)) == 0 {
		return err
	}
	return &maskedError{err, r.shown(err)}
}

// budgetWaits returns the function that the budget calls after waits; nil if there is no hook for
// it.
func (r *Execution) budgetWaits() func(ctx context.Context, source string, bytes int64, wait time.Duration, err error) {
	pick := func(h *Hooks) func(context.Context, BudgetEvent) { return h.BudgetWait }
	for i := range r.cfg.hooks {
		if pick(&r.cfg.hooks[i]) != nil {
			return func(ctx context.Context, source string, bytes int64, wait time.Duration, err error) {
				_, err = r.told(ctx, err)
				tell(ctx, r, source, BudgetEvent{Stage: source, Bytes: bytes, Wait: wait, Err: err}, pick)
			}
		}
	}
	return nil
}

// observed calls save, a method of a store, between the hooks of a save.
func (j *job) observed(ctx context.Context, s *saved.State, data []byte, save func(context.Context, []byte) error) (err error) {
	if !saves.heard(j.run.cfg.hooks) {
		return save(ctx, data)
	}
	e := SaveEvent{Job: j.cfg.job, Bytes: len(data), Start: time.Now()}
	e.HeldPages, e.HeldBytes = j.run.heldPages()
	for _, src := range s.Sources {
		at := SourcePosition{Stage: src.Stage, RangesDone: len(src.Done), RangesBegun: len(src.Parts), Rows: src.Rows}
		for _, p := range src.Parts {
			at.Rows += p.Rows
		}
		e.Sources = append(e.Sources, at)
	}
	ctx, end := saves.begin(ctx, j.run, runStage, e)
	called := time.Now() // hooks may have taken a while
	err = rx.ErrExited   // stays if save does not return
	defer func() {
		e.Duration = time.Since(called)
		e.ErrorType, e.Err = j.run.told(ctx, err)
		end(e)
	}()
	return save(ctx, data)
}
