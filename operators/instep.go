package operators

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/lock"
)

// ErrOutOfOrder is the kind of error of MergeSorted and MergeJoin where an input is not in the
// order that they compare by.
var ErrOutOfOrder = errors.New("rxcql: an input is not in order")

// inStep is one run of an operator that reads several inputs in step, such as Zip. Each input has a
// goroutine of its own, in which a page waits in Next until all of its rows have been used: so no
// rows are copied, and no more than a page of each input is at hand. The operator works in the
// goroutine that reads the stream, when a page has come or an input has ended.
//
// Rows that it makes are handed on before a page that they were made of goes, and before another is
// waited for.
type inStep struct {
	st      *rxcql.Stage
	account *flow.Account
	budget  *flow.InStep
	inputs  []*atHand
	most    int // rows in a page that is handed on

	work  func(ctx context.Context) error                                // uses rows, as far as those at hand allow
	flush func(ctx context.Context) error                                // hands on the rows made so far
	tell  func(ctx context.Context, of *atHand, said flow.Advance) error // hands on how far a part of an input has come

	mu    lock.Lock // held while the operator is at work, and by an input that gives its page up
	limit atomic.Int64
	call  func(fn func(ctx context.Context) error) error // in the goroutine that reads the stream
	ended func() <-chan struct{}                         // the goroutines are to end
	cause func() error                                   // why
}

// run reads the inputs, and returns when nothing of them is left.
func (s *inStep) run(ctx context.Context) error {
	return border(ctx, func(ctx context.Context, post poster) error {
		group, ctx := s.st.TaskGroup(ctx)
		s.call = func(fn func(ctx context.Context) error) error { return post(func() error { return fn(ctx) }) }
		s.ended, s.cause = ctx.Done, func() error { return context.Cause(ctx) }
		errs := make([]error, len(s.inputs))
		for i, h := range s.inputs {
			group.Go(func() error {
				errs[i] = h.read(ctx)
				return errs[i]
			})
		}
		return rxcql.FirstFailure(append(errs, group.Wait())...)
	})
}

// stopped reports whether reading was stopped, when all inputs have ended.
func (s *inStep) stopped() bool {
	for _, h := range s.inputs {
		if h.stopped {
			return true
		}
	}
	return false
}

// proceed has the operator go on. The caller holds the mutex.
func (s *inStep) proceed(ctx context.Context) error {
	if err := s.work(ctx); err != nil {
		return err
	}
	if err := s.flush(ctx); err != nil {
		return err
	}
	for _, h := range s.inputs {
		if h.page == nil || h.next < h.rows {
			continue
		}
		if !h.lost {
			if err := s.tell(ctx, h, h.page.Advance()); err != nil {
				return err
			}
		}
		h.leave()
		h.gone <- struct{}{}
	}
	s.budget.Starve()
	return nil
}

// arrive notes a page, and goes on.
func (s *inStep) arrive(ctx context.Context, h *atHand, page *flow.Reservation, rows int) error {
	h.page, h.rows, h.next, h.took, h.away, h.used, h.lost = page, rows, 0, 0, 0, false, false
	s.most = max(s.most, rows)
	h.gate.Waits()
	err := errGone // stays if a function of the user's panics
	defer func() {
		if err != nil { // which ends the stream
			s.budget.Works()
		}
	}()
	err = s.proceed(ctx)
	return err
}

// end notes that an input has ended, unless that is known.
func (s *inStep) end(h *atHand, stopped bool) error {
	s.mu.Lock()
	known := h.over
	s.mu.Unlock()
	if known {
		return nil
	}
	return s.call(func(ctx context.Context) error {
		s.mu.Lock()
		defer s.mu.Unlock()
		h.over, h.stopped = true, stopped
		s.budget.Works()
		return s.proceed(ctx)
	})
}

// abandon leaves a page unsettled, whose rows are not whole since reading was stopped.
func (s *inStep) abandon(h *atHand) {
	if !h.has() {
		return
	}
	kept := s.account.Reservation()
	kept.Take(h.page, 0)
	s.st.Abandon(kept)
	h.next, h.took, h.lost = h.rows, h.rows, true
}

// outOfOrder is the error of a row that is less than the one before it. what names the input.
func (s *inStep) outOfOrder(h *atHand, what string, row int) error {
	return s.st.Fail(&rxcql.RowError{Range: h.page.Part(), Page: h.page.Page, Row: h.page.RowIndex(row), Err: &orderError{what}})
}

type orderError struct{ what string }

func (e *orderError) Error() string {
	return ErrOutOfOrder.Error() + ": the row of " + e.what + " is less than the one before it; " +
		"give all inputs in the order that rows are compared by (a table has that of its tokens, with rxcql.WithWorkers(1))"
}

func (e *orderError) Unwrap() error { return ErrOutOfOrder }
