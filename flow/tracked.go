package flow

// Mark keeps, with the page or pages that the lease owes, what the stage of that name needs to
// go on right after them (in GroupAdjacent, which group was open): it is saved
// with the position as soon as they are settled. The last mark of a page counts.
// Pages without one take that of the page before. The lease must be alive.
func (l *Lease) Mark(stage string, mark []byte) {
	for _, r := range l.receipts {
		if r.page == nil {
			continue
		}
		r.page.track.mu.Lock()
		if r.page.marks == nil {
			r.page.marks = map[string][]byte{}
		}
		r.page.marks[stage] = mark
		r.page.track.mu.Unlock()
	}
}

// Marked is the mark that the stage of that name left when an earlier run read the part that
// the lease's page is of; nil if none did.
func (l *Lease) Marked(stage string) []byte {
	for _, r := range l.receipts {
		if r.page != nil {
			return r.page.track.from.Marks[stage]
		}
	}
	return nil
}

// Tracked reports whether the lease's pages are part of a job with a checkpoint.
func (l *Lease) Tracked() bool { return len(l.receipts) > 0 && l.receipts[0].page != nil }

// Grows reports whether the lease's pages are part of a job with a checkpoint, and of
// a source that may grow (rxcql.Identity.Grows).
func (l *Lease) Grows() bool { return l.Tracked() && l.receipts[0].page.track.grows }

// Span tells which rows of their part the pages of the lease are: those after the
// first from, up to the first to. Rows that a source could not read count, and so do
// those that operators have left out since: where nothing is put in between they
// have the same numbers in every run of the job. The lease must be tracked.
func (l *Lease) Span() (from, to int64) {
	first, last := l.receipts[0].page, l.receipts[len(l.receipts)-1].page
	first.track.mu.Lock()
	defer first.track.mu.Unlock()
	return first.before, last.before + int64(last.rows)
}

// CountLost adds a row to the lease's page that the source read and that is not in it,
// since it failed there. The source does that before it delivers the next page.
func (l *Lease) CountLost() {
	if !l.Tracked() {
		return
	}
	p := l.receipts[0].page
	p.track.mu.Lock()
	defer p.track.mu.Unlock()
	p.rows++
	p.track.read++
}
