package rxcql

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/rxcql/rxcql/flow"
)

// counters of a run, as in Report.
type counters struct {
	ranges, rangesDone    atomic.Int64
	pages, empty, settled atomic.Int64
	rows, written, bytes  atomic.Int64
	retried, unknown      atomic.Int64
	overflowed, late      atomic.Int64
	saves                 atomic.Int64
	before                atomic.Int64 // rows settled by earlier runs
	failedBefore          atomic.Int64 // rows that failed in earlier runs
	resumed               atomic.Bool
}

// CountPage counts a page that a source has read. Sources call it once for each page, before they
// deliver it.
func (s *Stage) CountPage(rows int, bytes int64) {
	r := s.run
	r.pages.Add(1)
	if rows == 0 {
		r.empty.Add(1)
	}
	r.rows.Add(int64(rows))
	r.bytes.Add(bytes)
	tell(r.ctx, r, s.name, PageEvent{Stage: s.name, Rows: rows, Bytes: bytes}, func(h *Hooks) func(context.Context, PageEvent) { return h.PageRead })
}

// CountRanges announces token ranges (or parts of another source) that the source will read, so
// that progress can be measured.
func (s *Stage) CountRanges(n int) { s.run.ranges.Add(int64(n)) }

// CountRangeDone counts a range read to its end.
func (s *Stage) CountRangeDone() { s.run.rangesDone.Add(1) }

// Receipt returns a new receipt for a page that the source delivers by itself; a source that can be
// resumed uses flow.Deliver instead. In a job with a checkpoint Receipt ends the run with
// ErrNotResumable: a page without a track would be forgotten.
func (s *Stage) Receipt() *flow.Receipt {
	if s.run.job != nil {
		s.run.Fail(s.Fail(fmt.Errorf("%w: its pages have no track; deliver them with flow.Deliver", ErrNotResumable)))
	}
	return flow.NewReceipt(func() { s.run.settled.Add(1) })
}

// CountWritten counts rows that became durable. Sinks call it before they settle the rows'
// reservation.
func (s *Stage) CountWritten(rows int) {
	s.out.Add(int64(rows))
	s.run.written.Add(int64(rows))
	tell(s.run.ctx, s.run, s.name, WrittenEvent{Stage: s.name, Rows: rows}, func(h *Hooks) func(context.Context, WrittenEvent) { return h.RowsWritten })
}

// CountRetry counts an attempt that is repeated, without a wait, after one that failed with err.
// Stage.Retry and Attempt.Again count by themselves. Hooks get the error, so it must not hold
// values.
func (s *Stage) CountRetry(err error) { s.retried(s.run.ctx, 0, 0, err) }

func (s *Stage) retried(ctx context.Context, attempt int, wait time.Duration, err error) {
	s.run.retried.Add(1)
	if !s.Hooked() {
		return
	}
	e := RetryEvent{Stage: s.name, Attempt: attempt, Wait: wait}
	e.ErrorType, e.Err = s.run.told(ctx, err)
	tell(ctx, s.run, s.name, e, func(h *Hooks) func(context.Context, RetryEvent) { return h.Retry })
}

// snapshot returns the final report if the run has ended, else the counts so far.
func (r *Execution) snapshot() Report {
	r.mu.Lock()
	last := r.last
	r.mu.Unlock()
	if last != nil {
		rep := *last
		rep.Stages, rep.RowErrors = slices.Clone(last.Stages), slices.Clone(last.RowErrors)
		rep.Unread = slices.Clone(last.Unread)
		return rep
	}
	return r.report()
}

func (r *Execution) report() Report {
	// A part is read before the whole that it belongs to, so that it never exceeds that.
	rep := Report{RangesDone: r.rangesDone.Load(), EmptyPages: r.empty.Load(), PagesSettled: r.settled.Load()}
	rep.PagesGivenUp = r.budget.GivenUp()
	rep.HeldPages, rep.HeldBytes = r.heldPages()
	rep.Ranges, rep.Pages = r.ranges.Load(), r.pages.Load()
	rep.Written, rep.Retried, rep.Unknown = r.written.Load(), r.retried.Load(), r.unknown.Load()
	rep.Overflowed, rep.LateRows = r.overflowed.Load(), r.late.Load()
	rep.ReadRows, rep.ReadBytes = r.rows.Load(), r.bytes.Load()
	rep.Started, rep.Duration = r.start, time.Since(r.start)
	rep.Resumed, rep.ResumedRows, rep.Saves = r.resumed.Load(), r.before.Load(), r.saves.Load()
	rep.EarlierFailed = r.failedBefore.Load()
	rep.Estimate = r.measures.estimate(time.Now(), rep.ReadRows+rep.ResumedRows)
	rep.RowErrors, rep.OtherRowErrors = r.rowErrors.reasons.report()
	rep.UnreadParts, rep.Unread = r.unread.report()
	used := r.budget.Usage()
	rep.Budget, rep.PeakBytes, rep.BytesInFlight = used.Budget, used.PeakBytes, used.BytesInFlight
	rep.LargestPage, rep.PeakFetches = used.LargestPage, used.PeakFetches
	r.mu.Lock()
	defer r.mu.Unlock()
	rep.EndedBy = r.by
	for _, st := range append(append([]*Stage{}, r.order...), r.sinks...) {
		s := StageReport{Name: st.name, In: st.in.Load(), Out: st.out.Load(), Dropped: st.dropped.Load()}
		s.Skipped, s.DeadLettered = st.skipped.Load(), st.deadLettered.Load()
		if st.node.info.Drops {
			s.Dropped = max(0, s.In-s.Out-s.Skipped-s.DeadLettered)
		}
		rep.Filtered += s.Dropped
		rep.Skipped += s.Skipped
		rep.DeadLettered += s.DeadLettered
		rep.Stages = append(rep.Stages, s)
	}
	return rep
}
