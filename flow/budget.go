package flow

import (
	"context"
	"sync"
	"time"
)

const (
	// DefaultPageBytes is the wanted size of a page, as far as the budget has room for it.
	DefaultPageBytes int64 = 1 << 20
	// DefaultPageRows is the most rows in a page that is not read from Cassandra: one of a
	// source in memory, of a file, or one that an operator fills by itself.
	DefaultPageRows = 512
)

// Budget bounds the bytes in flight of a run. Bytes are column bytes as
// received plus the size of the decoded rows. A source reserves an estimate
// before it fetches and waits while there is no room; the estimate is
// corrected on arrival. So
//
//	peak <= budget + fetches in flight x largest page
//
// where a page counts as a fetch in flight for as long as another input fetches
// beside it because it alone is more than the budget. Rows that an operator
// makes larger than they were read, and rows of an Unmetered input, come on top.
// What sinks are charged with beside the bytes of rows (Account.Expect) does so where
// operators hold rows, up to half of what they hold.
// Rows that several branches of a Tee keep count once for each that does: there
// the peak is up to as many times that as the Tee has branches.
//
// Every input of a pipeline keeps one page of credit that no other input can
// use, so that operators waiting for one input cannot be starved by another.
// If nothing moves and what operators hold leaves no room for a page, waiting
// would be for ever: the run fails with BudgetHeldError. The budget takes a page
// that is being delivered for moving, and a source that has not returned: an operator that
// waits in Next or Done for rows of another input must bound by itself what is kept
// further down.
type Budget struct {
	limit int64

	mu           sync.Mutex
	used         int64
	held         int64  // the part of used held by accounts that no time frees
	let          int    // how often holders have let go of something
	lately       *Input // the last that was lent a page
	moving       int    // reservations of what holders hand on, until its delivery has returned
	asked        int    // see Task.mayBegin
	expected     int64  // by accounts, see Account.Expect
	due          int64  // the part of it that they are not charged with yet
	peak         int64
	largest      int64
	fetching     int
	peakFetching int
	inputs       []*Input
	accounts     []*Account
	waiters      []*waiter

	owing owing

	onWait func(ctx context.Context, source string, bytes int64, wait time.Duration, err error) // nil if nobody wants to know
}

// NewBudget returns the budget of a run.
func NewBudget(limit int64) *Budget { return &Budget{limit: limit, let: 1} }

// OnWait has fn told of every wait of a source for room, after it: for which page, of about
// so many bytes, how long, and why it was in vain, if it was. It is set before the run
// begins; nil is none. Calls may overlap.
func (b *Budget) OnWait(fn func(ctx context.Context, source string, bytes int64, wait time.Duration, err error)) {
	b.onWait = fn
}

// Usage is what a budget has been used for so far, in bytes where nothing else is said.
type Usage struct {
	Budget        int64 // that may be in flight
	PeakBytes     int64 // most in flight at once
	BytesInFlight int64
	LargestPage   int64 // received and decoded
	PeakFetches   int   // most fetches in flight at once
}

// Usage is what the budget has been used for so far.
func (b *Budget) Usage() Usage {
	b.mu.Lock()
	defer b.mu.Unlock()
	return Usage{Budget: b.limit, PeakBytes: b.peak, BytesInFlight: b.used, LargestPage: b.largest, PeakFetches: b.peakFetching}
}

// fits keeps the share of every other input, or what its pages in flight leave of it: they
// may be small ones, and what holders do with them may need a page more. An input without a
// page is granted its own also where pages of others turned out larger than the budget: they
// may be waiting for this one. A further page leaves room for what accounts expect: half of
// what operators do not hold at most, since these may need many pages more to let go of any.
func (b *Budget) fits(in *Input, bytes int64) bool {
	room, besides := b.limit, b.used
	further := in.outstanding > 0
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

func (b *Budget) open(in *Input, bytes int64) {
	in.outstanding++
	in.flight += bytes
	in.granted += bytes
	b.fetching++
	b.peakFetching = max(b.peakFetching, b.fetching)
	b.add(bytes)
	if b.used > b.limit { // pages that this one is fetched beside still count
		pages := 0
		for _, each := range b.inputs {
			pages += each.outstanding
		}
		b.peakFetching = max(b.peakFetching, pages)
	}
}

func (b *Budget) reserved(in *Input, by *reading, bytes int64) *Reservation {
	return &Reservation{budget: b, input: in, reading: by, bytes: bytes, fetching: true}
}

func (b *Budget) giveBack(in *Input, bytes int64) {
	in.outstanding--
	in.flight -= bytes
	b.fetching--
	b.used -= bytes
	b.wake()
}

func (b *Budget) add(bytes int64) {
	b.used += bytes
	b.peak = max(b.peak, b.used)
}

// arrived ends the fetch of a reservation: its page is here, or will not come.
func (b *Budget) arrived(l *Reservation) {
	if l.fetching {
		l.fetching = false
		b.fetching--
	}
}
