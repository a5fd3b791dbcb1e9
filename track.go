package rxcql

import (
	"context"
	"fmt"
	"sync"
)

// TokenRange is a part of a source: the tokens t with Start < t <= End. A source
// that has no tokens is one part, WholeRange.
type TokenRange struct{ Start, End int64 }

// WholeRange holds every token.
var WholeRange = TokenRange{Start: -1 << 63, End: 1<<63 - 1}

// String is in interval notation, such as (-100, 250]; all for WholeRange.
func (r TokenRange) String() string {
	if r == WholeRange {
		return "all"
	}
	return fmt.Sprintf("(%d, %d]", r.Start, r.End)
}

// maxUnsettled is how many pages of one part may be read beyond the first that
// is not settled: so many are read again, at most, when that page stays stuck
// and the run is broken off. Where a stage holds rows from page to page (Holds)
// there is no bound: it may need any number of pages to let go of the first.
const maxUnsettled = 64

// A Track follows one part of a source through a run: which of its pages are
// settled, and so from where a later run has to go on. A source opens one for
// each part (Stage.Track, or Stage.Resume for those begun in an earlier run)
// and hands its pages on by Deliver, in order.
type Track struct {
	st    *Stage
	job   *job  // nil without a checkpoint
	err   error // it cannot be part of the job
	grows bool  // Identity.Grows
	span  TokenRange
	from  int64 // pages settled by earlier runs
	had   int64 // rows in these
	begin []byte
	marks map[string][]byte // by stage, as restored; not changed

	mu      sync.Mutex
	read    int64             // rows delivered, earlier runs' included
	settled int64             // pages in the settled prefix, earlier runs' included
	rows    int64             // rows in these
	state   []byte            // where the source goes on after them
	after   map[string][]byte // the last marks in them
	beyond  []*trackedPage    // delivered, from the first that is not settled on
	done    bool
	moved   chan struct{} // has a token when the prefix has grown
}

// trackedPage is one page between its delivery and the settling of all pages
// before it.
type trackedPage struct {
	track   *Track
	before  int64 // rows of the part before it, as Track.read counts them
	rows    int
	next    []byte
	last    bool
	settled bool
	marks   map[string][]byte
}

// Track opens a part that no run has begun. In a job with a checkpoint the source
// must have asked by Resume which parts these are: else Room and Deliver fail with
// ErrNotResumable.
func (s *Stage) Track(span TokenRange) *Track {
	t := &Track{st: s, job: s.run.job, span: span}
	if t.job != nil {
		t.moved = make(chan struct{}, 1)
		t.err = t.job.follow(t)
	}
	return t
}

// Span is the part that the track follows.
func (t *Track) Span() TokenRange { return t.span }

// From says where to go on: after so many pages, with that state of the source;
// 0 and nil at the beginning.
func (t *Track) From() (pages int64, state []byte) { return t.from, t.begin }

// Rows tells how many rows came in the pages before From, those included that could
// not be read.
func (t *Track) Rows() int64 { return t.had }

// Room waits while too many pages of the part are not settled. Sources call it
// before they fetch; the error is the cause of ctx, but for that of Track.
func (t *Track) Room(ctx context.Context) error {
	if t.err != nil {
		return t.err
	}
	if t.job == nil || t.job.holds.Load() {
		return nil
	}
	for hurried := false; ; {
		t.mu.Lock()
		waiting := len(t.beyond)
		t.mu.Unlock()
		if waiting < maxUnsettled {
			return nil
		}
		if !hurried {
			hurried = true
			t.st.run.hurry.begin()
			defer t.st.run.hurry.end()
		}
		select {
		case <-t.moved:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// page adds the next page of the part and returns its receipt.
func (t *Track) page(rows int, next []byte, last bool) *Receipt {
	if t.job == nil {
		return NewReceipt(func() { t.st.run.settled.Add(1) })
	}
	p := &trackedPage{track: t, rows: rows, next: next, last: last}
	t.mu.Lock()
	p.before = t.read
	t.read += int64(rows)
	t.beyond = append(t.beyond, p)
	t.mu.Unlock()
	t.job.delivered()
	r := NewReceipt(func() {
		t.settle(p)
		t.st.run.settled.Add(1)
		t.job.settled()
	})
	r.page = p
	return r
}

// settle notes that a page is done with, and moves the position on over all
// pages from the first that are.
func (t *Track) settle(p *trackedPage) {
	t.mu.Lock()
	p.settled = true
	before := t.settled
	for len(t.beyond) > 0 && t.beyond[0].settled {
		first := t.beyond[0]
		t.beyond[0] = nil
		t.beyond = t.beyond[1:]
		t.settled++
		t.rows += int64(first.rows)
		t.state = first.next
		t.done = first.last && (!t.grows || len(first.next) == 0)
		for stage, mark := range first.marks {
			t.mark(stage, mark)
		}
	}
	moved, done := t.settled > before, t.done
	t.mu.Unlock()
	if !moved {
		return
	}
	if done {
		t.job.finished(t)
	}
	select {
	case t.moved <- struct{}{}:
	default:
	}
}

func (t *Track) mark(stage string, mark []byte) {
	if t.after == nil {
		t.after = map[string][]byte{}
	}
	t.after[stage] = mark
}

// Mark keeps, with the page or pages that the lease owes, what the stage needs to
// go on right after them (in GroupAdjacent, which group was open): it is saved
// with the position as soon as they are settled. The last mark of a page counts.
// Pages without one take that of the page before. The lease must be alive.
func (l *Lease) Mark(st *Stage, mark []byte) {
	for _, r := range l.receipts {
		if r.page == nil {
			continue
		}
		r.page.track.mu.Lock()
		if r.page.marks == nil {
			r.page.marks = map[string][]byte{}
		}
		r.page.marks[st.name] = mark
		r.page.track.mu.Unlock()
	}
}

// Marked is the mark that the stage left when an earlier run read the part that
// the lease's page is of; nil if none did.
func (l *Lease) Marked(st *Stage) []byte {
	for _, r := range l.receipts {
		if r.page != nil {
			return r.page.track.marks[st.name]
		}
	}
	return nil
}

// Tracked tells whether the lease's pages are part of a job with a checkpoint.
func (l *Lease) Tracked() bool { return len(l.receipts) > 0 && l.receipts[0].page != nil }

// Grows tells whether the lease's pages are part of a job with a checkpoint, and of
// a source that may grow (Identity.Grows).
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

// count adds a row to the lease's page that is not in it. The source does that
// before it delivers the next page.
func (l *Lease) count() {
	if !l.Tracked() {
		return
	}
	p := l.receipts[0].page
	p.track.mu.Lock()
	defer p.track.mu.Unlock()
	p.rows++
	p.track.read++
}
