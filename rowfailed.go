package rxcql

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"github.com/rxcql/rxcql/flow"
)

// rowErrors is the policy of a run at work.
type rowErrors struct {
	policy  RowErrorPolicy
	letters *deadLetterQueue // nil unless the policy is DeadLetter

	failed  atomic.Int64 // that were skipped, and the one that was too many
	mu      sync.Mutex
	last    error // of the rows skipped
	reasons reasons
}

// RowFailed is what a stage calls with a row that fails (RowErrorPolicy says
// which errors are row errors; the call sorts out the others). Nil means that
// the row has been dealt with: the stage drops it without a word and goes on with
// the next. Otherwise the stage ends with the error as it is: a StageError around
// a RowError, or the cause of ctx if that has ended and another policy than
// FailOnRowError holds.
//
// Reservation is what the row's page owes; the caller owns it during the call. A row
// that becomes a dead letter takes a hold on its receipts until the letter is
// durable. The call waits while too many letters wait, until ctx ends. A source
// calls it when the page has got its receipt, with rows that are not part of
// the page: they count as read here.
//
// It may be called from several goroutines at a time.
func (s *Stage) RowFailed(ctx context.Context, reservation *flow.Reservation, f FailedRow) error {
	f.Index, f.Position = f.RowIndex(f.Index), f.Delivered()
	if s.node.info.Source {
		s.run.rows.Add(1)
		reservation.CountFailedRow()
	}
	err := s.fail(f.error())
	reason, where, said := f.reason()
	err.said = said
	r := &s.run.rowErrors
	if !rowsOwn(f.Err) || !r.policy.skips && r.letters == nil {
		return err
	}
	if ctx.Err() != nil && !flow.IsEnd(context.Cause(ctx)) { // perhaps the row failed because of that
		return context.Cause(ctx)
	}
	if r.letters != nil {
		if e := r.letters.add(ctx, s, reservation, &f); e != nil {
			return e
		}
	} else if e := r.skip(s, err); e != nil {
		return e
	}
	r.reasons.add(s.name, reason, where, &f)
	s.run.Log().Warn("a row failed and was left out", "stage", s.name, "range", f.Part(), "page", f.Page, "row", f.Index,
		"place", where, "dead_letter", r.letters != nil, "reason", reason)
	tell(ctx, s.run, s.name, RowFailedEvent{
		Stage: s.name, Range: f.Part(), Page: f.Page, Row: f.Index, Place: where, Reason: reason, DeadLettered: r.letters != nil,
	}, func(h *Hooks) func(context.Context, RowFailedEvent) { return h.RowFailed })
	return nil
}

// WantsFailedRows tells whether RowFailed wants the rows themselves. Stages that
// forget rows before they know how they fared keep them then.
func (s *Stage) WantsFailedRows() bool { return s.run.rowErrors.policy.letters != nil }

// SkipsFailed tells whether rows that fail may be left out: else the first one ends
// the run.
func (s *Stage) SkipsFailed() bool {
	return s.run.rowErrors.policy.skips || s.run.rowErrors.letters != nil
}

// skip counts a row, or returns that it is one too many.
func (r *rowErrors) skip(s *Stage, err error) error {
	failed, read := r.failed.Add(1), s.run.rows.Load()
	if r.policy.over(failed, read, false) {
		return &SkipLimitError{Limit: r.policy.limit(), Failed: failed, Read: read, Err: err}
	}
	if r.policy.rows < 0 { // it may be one too many in the end
		r.mu.Lock()
		r.last = err
		r.mu.Unlock()
	}
	s.skipped.Add(1)
	return nil
}

// judged runs what reads the stream, with the policy in force: the store of dead
// letters is open meanwhile, and everything that came to it is durable when judged
// returns nil.
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
	if err = read(); err != nil || !p.policy.skips {
		return err
	}
	if failed, read := p.failed.Load(), r.rows.Load(); p.policy.over(failed, read, true) {
		p.mu.Lock()
		defer p.mu.Unlock()
		return &SkipLimitError{Limit: p.policy.limit(), Failed: failed, Read: read, Err: p.last}
	}
	return nil
}

// check asks the store of dead letters, if there is one.
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
