package flow

import (
	"context"
	"maps"
	"sync"
)

// maxUnsettled is how many pages of one part may be read beyond the first that is not settled. If
// that page stays stuck and the run is interrupted, at most so many pages are read again. If a
// stage holds rows from page to page (HoldsRows) there is no bound: it may need any number of pages
// before it lets go of the first.
const maxUnsettled = 64

// Source is the stage that reads a part, as its Track sees it: an rxcql.Stage.
type Source interface {
	// Receipt makes the receipt of a page in a run without a checkpoint.
	Receipt() *Receipt
	// CountPage counts a page that is about to be handed on.
	CountPage(rows int, bytes int64)
	// CountRangeDone counts a part that was read to its end.
	CountRangeDone()
}

// Job is the checkpoint of a run, as a Track sees it.
type Job interface {
	// Holds reports whether a stage holds rows from page to page.
	Holds() bool
	// RequestFlush tells stages that let rows linger that a source waits for these rows, until done
	// is called.
	RequestFlush() (done func())
	// Deliver waits while a save has paused deliveries, and counts a delivery that begins;
	// Delivered ends it. Its error is the cause of ctx.
	Deliver(ctx context.Context) error
	Delivered()
	// Owed counts a page that is delivered and not settled; Settled counts a page that is settled.
	Owed()
	Settled()
	// Finished is called with a part that is read to its end and settled.
	Finished(t *Track)
	// CaughtUp is called once with a part that an earlier run has read rows of (Part.Read), when
	// these have been read again.
	CaughtUp(t *Track)
}

// Part is the position in a part of a source: what of it is settled without a gap.
type Part struct {
	Range     TokenRange
	Pages     int64             // pages settled
	Rows      int64             // rows in these pages
	State     []byte            // from which the source goes on after these pages
	Snapshots map[string][]byte // the last in these pages, by stage

	// How far an earlier run has read the part without a gap, settled or not, for stages with a
	// Frontier: rows, and the state of the source there. For how far it is now see Track.Read.
	Read      int64
	ReadState []byte
}

// Track follows one part of a source through a run: which of its pages are settled, and so where a
// later run has to go on. A source opens one for each part (rxcql.Stage.Track, or Stage.Resume for
// parts that an earlier run began), and hands on the part's pages by Deliver, in order.
type Track struct {
	source Source
	job    Job   // nil without a checkpoint
	err    error // why the part cannot belong to the job
	grows  bool  // the source may grow
	from   Part  // left by earlier runs; not changed
	about  about // of its pages

	fold, foldRead func(state, next []byte) []byte // nil: what a page is delivered with is the state
	keepsRead      bool                            // see KeepReadState
	shorten        func(records []byte) []byte     // see Shorten; nil: what pages were delivered with is not joined

	mu     sync.Mutex
	read   int64          // rows delivered, earlier runs' included
	now    Part           // of what is settled, earlier runs' included
	beyond []*trackedPage // delivered, from the first that is not settled on
	done   bool
	moved  chan struct{} // has a token when the prefix has grown

	taken      int    // pages of beyond, from the first on, that have been taken in as a whole
	takenState []byte // after these
	ended      bool   // the last page is among them
	compactAt  int    // see compact
	caughtUp   bool   // Job.CaughtUp was called, or need not be
	goal       int64  // the rows to read until then
	byState    bool   // see ReadByState
}

// NewTrack follows a part from where earlier runs have left it. job is nil in a run without a
// checkpoint. grows says that the source, once read to its end, may have more by the next run, as a
// file may.
func NewTrack(source Source, job Job, from Part, grows bool) *Track {
	t := &Track{source: source, job: job, grows: grows, from: from, read: from.Rows, now: from, takenState: from.State}
	t.caughtUp, t.goal = from.Read <= from.Rows, from.Read
	t.now.Read, t.now.ReadState = 0, nil
	t.about.tokens = &t.from.Range
	if job != nil {
		t.moved = make(chan struct{}, 1)
		t.now.Snapshots = maps.Clone(from.Snapshots)
	}
	return t
}

// NewBrokenTrack returns the track of a part that cannot be followed: AwaitRoom and Deliver fail
// with err.
func NewBrokenTrack(span TokenRange, err error) *Track {
	return &Track{err: err, from: Part{Range: span}, caughtUp: true}
}

// trackedPage is a page from its delivery until all pages before it, and the page itself, are
// settled.
type trackedPage struct {
	track     *Track
	before    int64 // rows of the part before it, as Track.read counts them
	rows      int
	next      []byte
	grown     bool // by what other pages were delivered with, see join
	shortened int  // how long next was when it was last made shorter
	last      bool
	bytes     int64 // as received
	settled   bool
	joined    int64 // how many more pages it stands for, see compact
	snapshots map[string][]byte

	taken  bool     // as a whole, see Receipt.feed
	waits  []func() // for that
	failed []int    // indexes of rows that failed where they were read, in a page of which an earlier run has read some rows
}

// Range returns the part that the track follows.
func (t *Track) Range() TokenRange { return t.from.Range }

// From says where to go on: after so many pages, with that state of the source. They are 0 and nil
// at the beginning.
func (t *Track) From() (pages int64, state []byte) { return t.from.Pages, t.from.State }

// Rows returns how many rows came in the pages before From, including those that could not be read.
func (t *Track) Rows() int64 { return t.from.Rows }

// Fold has the state of the part made of the state before and what the next page was delivered
// with: for a source whose state is large, so that a page carries only what it changes. begin
// returns a function that does so, and is called twice: the state behind what is settled is made by
// one, and that behind what is read by another (Track.Read). The state is nil at the beginning,
// else what that function or an earlier run has returned; the function may append to what it has
// returned itself. It is called for one page after the other, in their order, and must not block.
// Call Fold before the first page is delivered.
func (t *Track) Fold(begin func() (fold func(state, next []byte) []byte)) {
	t.fold = begin()
	if t.keepsRead {
		t.foldRead = begin()
	}
}

// KeepReadState is for the engine: rows of the part come to a stage with a Frontier, so that the
// state behind what is read is needed of a track with a Fold too. Else there is none.
func (t *Track) KeepReadState() { t.keepsRead = true }

// Part returns the position now. done says that the part is read to its end and settled.
func (t *Track) Part() (p Part, done bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	p = t.now
	p.Snapshots = maps.Clone(p.Snapshots)
	return p, t.done
}

// AwaitRoom waits while too many pages of the part are not settled. Sources call it before they
// fetch. Its error is the cause of ctx, or why the part cannot be followed.
func (t *Track) AwaitRoom(ctx context.Context) error {
	if t.err != nil {
		return t.err
	}
	if t.job == nil || t.job.Holds() {
		return nil
	}
	for asked := false; ; {
		t.mu.Lock()
		waiting := len(t.beyond)
		t.mu.Unlock()
		if waiting < maxUnsettled {
			return nil
		}
		if !asked {
			asked = true
			defer t.job.RequestFlush()()
		}
		select {
		case <-t.moved:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// page adds the next page of the part and returns its receipt.
func (t *Track) page(rows int, bytes int64, next []byte, last bool) *Receipt {
	if t.job == nil {
		return t.source.Receipt()
	}
	p := &trackedPage{track: t, rows: rows, bytes: bytes, next: next, last: last}
	t.mu.Lock()
	p.before = t.read
	t.read += int64(rows)
	t.beyond = append(t.beyond, p)
	t.mu.Unlock()
	t.job.Owed()
	r := NewReceipt(func() {
		t.settle(p)
		t.job.Settled()
	})
	r.page = p
	r.feeds.Store(1)
	return r
}

// settle notes that a page is settled, and moves the position over all pages that are settled from
// the first one on.
func (t *Track) settle(p *trackedPage) {
	t.mu.Lock()
	p.settled = true
	before := t.now.Pages
	for len(t.beyond) > 0 && t.beyond[0].settled {
		first := t.beyond[0]
		t.beyond[0] = nil
		t.beyond = t.beyond[1:]
		if t.taken > 0 {
			t.taken--
		} else {
			t.tookIn(first)
		}
		t.now.Pages += 1 + first.joined
		t.now.Rows += int64(first.rows)
		if t.fold != nil {
			t.now.State = t.fold(t.now.State, first.next)
		} else {
			t.now.State = first.next
		}
		t.done = first.last && (!t.grows || len(first.next) == 0)
		for stage, snapshot := range first.snapshots {
			t.snapshot(stage, snapshot)
		}
	}
	moved, done := t.now.Pages > before, t.done
	caughtUp := t.goOn()
	t.compact()
	t.mu.Unlock()
	if caughtUp {
		t.job.CaughtUp(t)
	}
	if !moved {
		return
	}
	if done {
		t.job.Finished(t)
	}
	select {
	case t.moved <- struct{}{}:
	default:
	}
}

func (t *Track) snapshot(stage string, snapshot []byte) {
	if t.now.Snapshots == nil {
		t.now.Snapshots = map[string][]byte{}
	}
	t.now.Snapshots[stage] = snapshot
}
