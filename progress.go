package rxcql

import (
	"slices"
	"time"
)

// snapshot returns the final report if the run has ended, else the counts so far.
func (r *Execution) snapshot() Report {
	r.mu.Lock()
	last := r.last
	r.mu.Unlock()
	if last != nil {
		rep := *last
		rep.Stages, rep.RowErrors = slices.Clone(last.Stages), slices.Clone(last.RowErrors)
		return rep
	}
	return r.report()
}

func (r *Execution) report() Report {
	// A part is read before the whole that it belongs to, so that it never exceeds that.
	rep := Report{RangesDone: r.rangesDone.Load(), EmptyPages: r.empty.Load(), PagesSettled: r.settled.Load()}
	rep.Ranges, rep.Pages = r.ranges.Load(), r.pages.Load()
	rep.Written, rep.Retried, rep.Unknown = r.written.Load(), r.retried.Load(), r.unknown.Load()
	rep.ReadRows, rep.ReadBytes = r.rows.Load(), r.bytes.Load()
	rep.Started, rep.Duration = r.start, time.Since(r.start)
	rep.Resumed, rep.ResumedRows, rep.Saves = r.resumed.Load(), r.before.Load(), r.saves.Load()
	rep.Estimate = r.measures.estimate(time.Now(), rep.ReadRows+rep.ResumedRows)
	rep.RowErrors, rep.OtherRowErrors = r.rowErrors.reasons.report()
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
