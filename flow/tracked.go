package flow

// Snapshot keeps, with the page or pages that the reservation owes, what the stage of that name needs to
// go on right after them (in GroupAdjacent, which group was open): it is saved
// with the position as soon as they are settled. The last snapshot of a page counts.
// Pages without one take that of the page before. The reservation must be alive.
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

// Restored is the snapshot that the stage of that name left when an earlier run read the part that
// the reservation's page is of; nil if none did.
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

// Grows reports whether the reservation's pages are part of a job with a checkpoint, and of
// a source that may grow (rxcql.Identity.Grows).
func (res *Reservation) Grows() bool { return res.Tracked() && res.receipts[0].page.track.grows }

// RowSpan tells which rows of their part the pages of the reservation are: those after the
// first from, up to the first to. Rows that a source could not read count, and so do
// those that operators have left out since: where nothing is put in between they
// have the same numbers in every run of the job. The reservation must be tracked.
func (res *Reservation) RowSpan() (from, to int64) {
	first, last := res.receipts[0].page, res.receipts[len(res.receipts)-1].page
	first.track.mu.Lock()
	defer first.track.mu.Unlock()
	return first.before, last.before + int64(last.rows)
}

// CountFailedRow adds a row to the reservation's page that the source read and that is not in it,
// since it failed there. The source does that before it delivers the next page.
func (res *Reservation) CountFailedRow() {
	if !res.Tracked() {
		return
	}
	p := res.receipts[0].page
	p.track.mu.Lock()
	defer p.track.mu.Unlock()
	p.rows++
	p.track.read++
}
