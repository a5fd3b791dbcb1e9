package rxcql

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/rxcql/rxcql/flow"
)

// rowErrors is the policy in one run, with its counts.
type rowErrors struct {
	policy  RowErrorPolicy
	letters *deadLetterQueue // nil unless the policy is DeadLetter

	failed  atomic.Int64 // rows skipped or dead-lettered, and the one that was too many; not counted without a maximum
	left    atomic.Int64 // rows skipped and dead-lettered, as far as they are logged
	mu      sync.Mutex
	last    error // of the rows skipped
	reasons reasons
}

// RowFailed reports a row that a stage cannot deal with, and applies the policy for failed rows
// (WithRowErrors). RowErrorPolicy says which errors are row errors; RowFailed recognizes the others
// by itself, so call it with any error that one row met.
//
// If it returns nil, the row has been skipped or dead-lettered: leave it out and go on with the
// next. Otherwise end the stage with the returned error as it is. That is one of these:
//
//   - a StageError around a RowError;
//   - an error of the policy: a SkipLimitError, or that of a store that cannot write;
//   - the cause of ctx, or of the run's context, if that has ended under a policy other than
//     FailOnRowError, and the row may have failed because of that.
//
// reservation is that of the row's page; the caller owns it during the call. A row that becomes a
// dead letter takes a hold on its receipts until the letter is durable. The call waits while too
// many letters wait to be written, at most until ctx ends. A source calls RowFailed once the page
// has its receipt, and leaves the failed rows out of the page: they are counted as read here.
//
// Several goroutines may call it at the same time.
func (s *Stage) RowFailed(ctx context.Context, reservation *flow.Reservation, f FailedRow) error {
	f.Index, f.Position = f.RowIndex(f.Index), f.Delivered()
	if s.node.info.Source {
		s.run.rows.Add(1)
		reservation.CountFailedRow(f.Index)
	}
	err := s.fail(f.error())
	reason, where, said := f.reason()
	err.said = said
	r := &s.run.rowErrors
	if !rowsOwn(f.Err) || !r.policy.skips && r.letters == nil {
		return err
	}
	if ctx.Err() != nil && !s.endedBehind(ctx) { // the row may have failed because of that
		return context.Cause(ctx)
	}
	// Repeats end with the run's context, which that of a sink outlives: it is not the row that
	// failed.
	over := context.Cause(s.run.ctx) //nolint:contextcheck // ctx may outlive the run
	if over != nil && errors.Is(f.Err, over) {
		return over
	}
	if r.letters != nil {
		if e := r.letters.add(ctx, s, reservation, &f); e != nil {
			return e
		}
		if e := r.count(s, err); r.policy.bounded && e != nil {
			return e
		}
	} else if e := r.skip(s, err); e != nil {
		return e
	}
	r.reasons.add(s.name, reason, where, &f)
	s.logRowFailed(ctx, &f, where, reason)
	tell(ctx, s.run, s.name, RowFailedEvent{
		Stage: s.name, Range: f.Part(), Page: f.Page, Row: f.Index, Place: where, Reason: reason, DeadLettered: r.letters != nil,
	}, func(h *Hooks) func(context.Context, RowFailedEvent) { return h.RowFailed })
	return nil
}

// WantsFailedRows reports whether RowFailed needs the rows themselves (FailedRow.Row). If so, a
// stage must keep each row until it knows that the row did not fail.
func (s *Stage) WantsFailedRows() bool { return s.run.rowErrors.policy.letters != nil }

// SkipsFailed reports whether the policy leaves failed rows out. If not, the first one ends the
// run.
func (s *Stage) SkipsFailed() bool {
	return s.run.rowErrors.policy.skips || s.run.rowErrors.letters != nil
}

// skip counts a row that failed and is dropped. It returns an error if that is one too many.
func (r *rowErrors) skip(s *Stage, err error) error {
	e := r.count(s, err)
	if e == nil {
		s.skipped.Add(1)
	}
	return e
}

// count counts a row that failed. It returns an error if that is one too many.
func (r *rowErrors) count(s *Stage, err error) error {
	failed, read := r.failed.Add(1), s.run.rows.Load()
	if r.policy.over(failed, read, false) {
		return &SkipLimitError{Limit: r.policy.name, Failed: failed, Read: read, Err: err}
	}
	if r.policy.rows < 0 { // it may turn out to be too many at the end
		r.mu.Lock()
		r.last = err
		r.mu.Unlock()
	}
	return nil
}

// judged runs read with the policy in force. The store of dead letters is open meanwhile; when
// judged returns nil, all of its letters are durable.
func (r *Execution) judged(ctx context.Context, read func() error) (err error) {
	p := &r.rowErrors
	if p.policy = r.cfg.rowErrors; p.policy.letters != nil {
		late, stop := graceful(ctx, r.cfg.grace)
		defer stop()
		if p.letters, err = openLetters(late, r, p.policy.letters); err != nil {
			return err
		}
		defer func() {
			if closing := p.letters.close(); closing != nil && !errors.Is(err, closing) {
				err = errors.Join(err, closing)
			}
		}()
	}
	if err = read(); err != nil || !p.policy.limited() {
		return err
	}
	if failed, read := p.failed.Load(), r.rows.Load(); p.policy.over(failed, read, true) {
		p.mu.Lock()
		defer p.mu.Unlock()
		return &SkipLimitError{Limit: p.policy.name, Failed: failed, Read: read, Err: p.last}
	}
	return nil
}

// check calls Check of the store of dead letters, if there is one.
func (p *RowErrorPolicy) check(ctx context.Context) error {
	if p.letters == nil {
		return nil
	}
	err := protect(lettersName, func() error { return p.letters.Check(ctx) })
	if err != nil {
		err = fmt.Errorf("DeadLetter: %w", err)
	}
	return err
}

// failedRows returns how many rows this run has skipped or dead-lettered.
func (r *Execution) failedRows() (n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, stages := range [][]*Stage{r.order, r.sinks} {
		for _, st := range stages {
			n += st.skipped.Load() + st.deadLettered.Load()
		}
	}
	return n
}
