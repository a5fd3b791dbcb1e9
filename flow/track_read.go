package flow

import (
	"context"
	"math"
	"slices"
)

// This file is how far a part has been read, whether that is settled or not. A page has been read
// when it has been taken in as a whole (Receipt.feed): before that, a stage with a Frontier may
// have counted some of its rows, and it is not known which.

// takenIn notes that every row of a page has come to each stage with a Frontier that it can come
// to.
func (t *Track) takenIn(p *trackedPage) {
	t.mu.Lock()
	p.taken = true
	waits := p.waits
	p.waits = nil
	caughtUp := t.goOn()
	t.mu.Unlock()
	for _, wait := range waits {
		wait()
	}
	if caughtUp {
		t.job.CaughtUp(t)
	}
}

// goOn moves the read position over all pages that have been taken in, from the first on. A page
// that is settled has been. It reports whether the part has just caught up. The caller holds mu.
func (t *Track) goOn() (caughtUp bool) {
	for t.taken < len(t.beyond) && (t.beyond[t.taken].taken || t.beyond[t.taken].settled) {
		t.tookIn(t.beyond[t.taken])
		t.taken++
	}
	if t.caughtUp || !t.ended && t.takenRows() < t.goal {
		return false
	}
	t.caughtUp = true
	return true
}

// tookIn notes the page that the read position moves over. The caller holds mu.
func (t *Track) tookIn(p *trackedPage) {
	switch {
	case t.fold == nil:
		t.takenState = p.next
	case t.foldRead != nil:
		t.takenState = t.foldRead(t.takenState, p.next)
	default:
		t.takenState = nil
	}
	t.ended = t.ended || p.last
}

// Read returns how far the part has been read, by this run or an earlier one, in rows and as the
// state of the source: every row up to there has come to each stage with a Frontier, or comes to
// none. The state is nil at the beginning, and at the end of a part that cannot grow. When a run
// begins it is what the run before has saved, and From is that or earlier.
func (t *Track) Read() (rows int64, state []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.reached()
}

// reached is Read. The caller holds mu.
func (t *Track) reached() (rows int64, state []byte) {
	if !t.caughtUp { // with ReadByState more rows may be settled by now: not all that were read are
		return max(t.from.Read, t.now.Rows+1), t.from.ReadState
	}
	return t.takenRows(), t.takenState
}

// ReadByState is for sources whose rows have no fixed number in their part, because others may come
// between them before they are read again. It says that the source itself knows, by the state that
// Read returns, which rows an earlier run has read: it hands these on in pages of their own
// (Reservation.WasRead), and calls PassedRead behind the last of them. Call it before the first
// page.
func (t *Track) ReadByState() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.byState = true
	if !t.caughtUp {
		t.goal = math.MaxInt64
	}
}

// PassedRead says that all rows have been handed on again that an earlier run had read, see
// ReadByState.
func (t *Track) PassedRead() {
	t.mu.Lock()
	if !t.caughtUp {
		t.goal = t.read
	}
	caughtUp := t.goOn()
	t.mu.Unlock()
	if caughtUp {
		t.job.CaughtUp(t)
	}
}

// WasRead says of a page, before it is delivered, that an earlier run has read all of its rows:
// see Track.ReadByState.
func (res *Reservation) WasRead() { res.before = true }

// takenRows returns the rows up to the read position of this run. The caller holds mu.
func (t *Track) takenRows() int64 {
	if t.taken < len(t.beyond) {
		return t.beyond[t.taken].before
	}
	return t.read
}

// fresh reports whether the page has rows that no earlier run has read. before is what the source
// says of it.
func (p *trackedPage) fresh(before bool) bool {
	if p.track.from.Read == 0 {
		return true
	}
	p.track.mu.Lock()
	defer p.track.mu.Unlock()
	if p.track.byState {
		return !before
	}
	return p.before+int64(p.rows) > p.track.from.Read
}

// onTaken has fn called when the page has been taken in as a whole.
func (p *trackedPage) onTaken(fn func()) {
	p.track.mu.Lock()
	taken := p.taken
	if !taken {
		p.waits = append(p.waits, fn)
	}
	p.track.mu.Unlock()
	if taken {
		fn()
	}
}

// readBefore returns how many rows of a page, from the first on, an earlier run of the job has
// read, if it has not read the others: 0 if it has read none, or all. The page is as it was read,
// has its receipt, and so many rows.
func (res *Reservation) readBefore(rows int) int {
	if !res.fresh || !res.Tracked() {
		return 0
	}
	p := res.receipts[0].page
	if p.track.from.Read == 0 {
		return 0
	}
	p.track.mu.Lock()
	defer p.track.mu.Unlock()
	received := int(p.track.from.Read - p.before) // the rows that failed are among them
	if received <= 0 || p.track.byState {
		return 0
	}
	n := received
	for _, i := range p.failed {
		if i < received {
			n--
		}
	}
	return min(n, rows)
}

// Reread hands on a page of a source. If an earlier run has read only the first of its rows, it
// hands these on before the others, in a page of their own: so Frontier.Counted is exact though
// pages had another size then. Both pages have p's reservation. The engine calls it behind each
// source.
func Reread[T any](ctx context.Context, p *Page[T], out Observer[T]) error {
	n := p.readBefore(len(p.Rows))
	if n == 0 {
		return out.Next(ctx, p)
	}
	said := p.Hush()
	p.fresh = false
	err := out.Next(ctx, &Page[T]{Rows: p.Rows[:n:n], Reservation: p.Reservation})
	p.Say(said)
	p.fresh = true
	if err != nil {
		return err
	}
	others := &Page[T]{Rows: slices.Clip(p.Rows[n:]), Reservation: p.Reservation}
	if len(others.Rows) == 0 && !others.Says() {
		return nil
	}
	p.Position = p.From(n)
	defer p.Say(said)
	return out.Next(ctx, others)
}
