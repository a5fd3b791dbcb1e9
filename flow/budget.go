package flow

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// DefaultPageBytes is the size of page that sources ask for, if the budget has room for it.
	DefaultPageBytes int64 = 1 << 20
	// DefaultPageRows is the most rows in a page that is not read from Cassandra: a page of a
	// source in memory or of a file, or one that an operator fills by itself.
	DefaultPageRows = 512
)

// Budget bounds the bytes in flight of a run: column bytes as received, plus the size of the
// decoded rows. Before a source fetches a page it reserves an estimate, and waits while there is no
// room; when the page arrives the estimate is corrected. So
//
//	peak <= budget + fetches in flight x largest page
//
// Where more than the budget is in flight, each of these counts as a fetch too, while another page
// is fetched:
//
//   - a page that has been read and is not settled;
//   - what a source that reads several things side by side has of all of them (Reservation.Refill);
//   - a page that an operator has handed on and that waits for rows of another input (InStep), as
//     far as its bytes are let in. Those of one that is larger than the largest page that was read,
//     a batch for example, use up the budget like those of rows that an operator holds.
//
// Above the budget only what has arrived counts: an estimate is room for a page, not yet memory.
//
// These come on top:
//
//   - rows that an operator makes larger than they were read, or hands on while it keeps them
//     (MergeJoin: rows of one key), and the place that MapConcurrent and Lookup have for the result
//     of each row of a page: the size of a result and 9 bytes, or 8 bytes alone with Unordered;
//   - rows of an Unmetered input;
//   - where operators hold rows: what sinks are charged with in addition to the bytes of rows
//     (Account.Expect), up to half of what the operators hold.
//
// Rows that several branches of a Tee keep count once for each of these branches. With a Tee the
// peak may be as many times higher as it has branches.
//
// Every input of a pipeline keeps credit for one page that no other input can use. So operators
// that wait for one input cannot be starved by another. If nothing moves, and what operators hold
// leaves no room for a page, waiting would last for ever: the run fails with BudgetHeldError.
//
// For the budget, a page that is being delivered moves, and so does a source that has not returned.
// So an operator that waits in Next for rows of another input must say so (InStep).
type Budget struct {
	limit int64

	mu           sync.Mutex
	used         int64
	held         int64  // the part of used that is held by accounts that do not free, and kept
	kept         int64  // the part of held of reservations that wait to be refilled
	keeping      int    // these reservations
	let          int    // how often such accounts have released something
	lately       *Input // the input that was lent a page last
	moving       int    // reservations that holders hand on, until the delivery has returned
	starving     int    // stages that read in step and wait for another page, see InStep
	asked        int    // see Task.mayBegin
	expected     int64  // by accounts, see Account.Expect
	due          int64  // the part of expected that accounts are not charged with yet
	peak         int64
	largest      int64
	fetching     int
	coming       int64 // the estimates of these fetches, part of used
	peakFetching int
	inputs       []*Input
	accounts     []*Account // all that have something, and others, see list
	sweepAt      int        // how many there are when those that have nothing go
	waiters      []*waiter
	waited       time.Time // when a wait last ended

	owing owing

	inStep atomic.Bool // some stage reads in step

	onWait func(ctx context.Context, source string, bytes int64, wait time.Duration, err error) // nil if nobody needs to know
}

// NewBudget returns the budget of a run.
func NewBudget(limit int64) *Budget { return &Budget{limit: limit, let: 1, sweepAt: leastSweep} }

// OnWait has fn called after every wait of a source for room: the bytes it asked for, how long it
// waited, and the error if it got none. Set it before the run begins; nil means none. Calls may
// overlap.
func (b *Budget) OnWait(fn func(ctx context.Context, source string, bytes int64, wait time.Duration, err error)) {
	b.onWait = fn
}

// Usage says what a budget has been used for so far, in bytes unless stated otherwise.
type Usage struct {
	Budget        int64 // that may be in flight
	PeakBytes     int64 // most in flight at once
	BytesInFlight int64
	LargestPage   int64 // received and decoded
	PeakFetches   int   // most fetches in flight at once, with what counts as one; see Budget
}

// Usage returns what the budget has been used for so far.
func (b *Budget) Usage() Usage {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Usage{Budget: b.limit, PeakBytes: b.peak, BytesInFlight: b.used, LargestPage: b.largest, PeakFetches: b.peakFetching}
}

// WaitedUntil returns when a source last waited for room: now, if one does; zero if none has.
func (b *Budget) WaitedUntil() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiters) > 0 {
		return time.Now()
	}
	return b.waited
}

// fits reports whether a reading of the input may fetch a page of so many bytes. It keeps free, for
// every other input, its share less its pages in flight: these may be small, and the stages that
// hold their rows may need a page more.
//
// An input that has no page gets its share even if pages of others turned out larger than the
// budget, since these may be waiting for it. So does a reading whose input has only pages of other
// readings that are blocked (InStep). A further page of an input also leaves room for what accounts
// expect, up to half of what operators do not hold: operators may need many pages before they let
// go of any.
func (b *Budget) fits(in *Input, by *reading, bytes int64) bool {
	room, besides := b.limit, b.used
	pages, blocked := in.blocked(by)
	besides -= blocked
	if by == nil || !by.blocked() {
		all := b.blocked()
		besides -= all.spared(b.largest)
	}
	further := in.outstanding > pages
	if further {
		room -= min(b.due, max(0, b.limit-b.held)/2)
	}
	for _, other := range b.inputs {
		if other == in {
			continue
		}
		besides -= other.flight
		if !other.spent() {
			room -= max(0, other.share()-other.flight)
		}
	}
	return b.used+bytes <= room || !further && besides+bytes <= in.share()
}

func (b *Budget) open(in *Input, by *reading, bytes int64) {
	in.carries(by, 1, bytes)
	in.granted += bytes
	b.fetches(by, 1, bytes)
	b.peakFetching = max(b.peakFetching, b.fetching)
	b.add(bytes)
	if b.used > b.limit { // pages in memory still count while this one is fetched
		all := b.blocked()
		pages := b.keeping + all.further(b.largest)
		for _, each := range b.inputs {
			pages += each.outstanding
		}
		b.peakFetching = max(b.peakFetching, pages)
	}
}

func (b *Budget) reserved(in *Input, by *reading, bytes int64) *Reservation {
	return &Reservation{budget: b, input: in, reading: by, bytes: bytes, fetching: true, coming: bytes}
}

func (b *Budget) giveBack(in *Input, by *reading, bytes int64) {
	in.carries(by, -1, -bytes)
	b.fetches(by, -1, -bytes)
	b.used -= bytes
	b.wake()
}

// add counts bytes in. Of those above the budget only what has arrived counts for the peak.
func (b *Budget) add(bytes int64) {
	b.used += bytes
	b.peak = max(b.peak, min(b.used, max(b.limit, b.used-b.coming)))
}

// fetches counts fetches of a reading in or out, and what they are estimated at. The reading is nil
// if it is not known.
func (b *Budget) fetches(r *reading, n int, estimates int64) {
	b.fetching += n
	b.coming += estimates
	if r != nil {
		r.fetching += n
		r.coming += estimates
	}
}

// arrived ends the fetch of a reservation: its page has arrived, or never will.
func (b *Budget) arrived(l *Reservation) {
	if l.fetching {
		b.fetches(l.reading, -1, -l.coming)
		l.fetching, l.coming = false, 0
	}
}
