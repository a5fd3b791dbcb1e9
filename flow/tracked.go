package flow

// Snapshot saves what a stage needs to go on right after the pages of the reservation. For
// GroupAdjacent that is which group was open. It is saved together with the position when these
// pages are settled. The last snapshot of a page counts; a page without one has that of the page
// before. Call it before the reservation is settled or released.
func (res *Reservation) Snapshot(stage string, snapshot []byte) {
	for _, r := range res.receipts {
		if r.page == nil {
			continue
		}
		r.page.track.mu.Lock()
		if r.page.snapshots == nil {
			r.page.snapshots = map[string][]byte{}
		}
		r.page.snapshots[stage] = snapshot
		r.page.track.mu.Unlock()
	}
}

// Restored returns the snapshot that the stage left when an earlier run read the part of the
// reservation's page; nil if there is none.
func (res *Reservation) Restored(stage string) []byte {
	for _, r := range res.receipts {
		if r.page != nil {
			return r.page.track.from.Snapshots[stage]
		}
	}
	return nil
}

// Tracked reports whether the reservation's pages are part of a job with a checkpoint.
func (res *Reservation) Tracked() bool { return len(res.receipts) > 0 && res.receipts[0].page != nil }

// Grows reports whether the reservation's pages are part of a job with a checkpoint, and come from
// a source that may grow (rxcql.Identity.Grows).
func (res *Reservation) Grows() bool { return res.Tracked() && res.receipts[0].page.track.grows }

// RowSpan returns which rows of their part the pages of the reservation are: the rows after the
// first from, up to the first to. Rows that the source could not read count, and so do rows that
// operators have dropped since. So a row has the same number in every run of the job, as long as
// nothing is inserted into the source. The reservation must be Tracked.
func (res *Reservation) RowSpan() (from, to int64) {
	first, last := res.receipts[0].page, res.receipts[len(res.receipts)-1].page
	first.track.mu.Lock()
	defer first.track.mu.Unlock()
	return first.before, last.before + int64(last.rows)
}

// CountFailedRow adds a row to the count of the reservation's page: one that the source read and
// left out of the page, because it failed. index is its place in the page as it was received, -1 if
// that is not known. It must be called before the page is handed on.
func (res *Reservation) CountFailedRow(index int) {
	if !res.Tracked() {
		return
	}
	p := res.receipts[0].page
	p.track.mu.Lock()
	defer p.track.mu.Unlock()
	p.rows++
	p.track.read++
	if p.track.from.Read > p.before && index >= 0 {
		p.failed = append(p.failed, index)
	}
	res.fresh = res.fresh || !p.track.byState && p.before+int64(p.rows) > p.track.from.Read
}
