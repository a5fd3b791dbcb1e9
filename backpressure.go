package rxcql

import (
	"context"
	"sync"
)

// Limits of the budget of bytes in flight.
const (
	// DefaultBudget is the budget of a run unless WithBudget says otherwise.
	DefaultBudget int64 = 64 << 20
	// MinBudgetPerInput is the least budget for each source of a pipeline: one
	// page of reserved credit.
	MinBudgetPerInput int64 = 64 << 10
	// DefaultPageBytes is the wanted size of a page, as far as the budget has
	// room for it.
	DefaultPageBytes int64 = 1 << 20
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
	asked        int    // see Stage.mayBegin
	let          int    // how often holders have let go of something
	lately       *Input // the last that was lent a page
	moving       int    // leases of what holders hand on, until its delivery has returned
	expected     int64  // by accounts, see Account.Expect
	due          int64  // the part of it that they are not charged with yet
	peak         int64
	largest      int64
	fetching     int
	peakFetching int
	inputs       []*Input
	accounts     []*Account
	waiters      []*waiter
}

func newBudget(limit int64) *Budget { return &Budget{limit: limit, let: 1} }

// Input is one source's side of the budget.
type Input struct {
	budget      *Budget
	name        string
	unmetered   bool
	outstanding int   // leases alive, kept rows not counted
	flight      int64 // bytes of these leases
	granted     int64 // bytes reserved since the start, as corrected
	lent        int   // when it was last lent a page, see lend
	waiting     int   // reservations that wait
	strays      int   // of these, with a context that is of no reading
	stopped     int   // readings of which one waits
	done        bool
	running     int         // calls of the source's run function
	mayBegin    func() bool // whether one may follow while there is none; nil if that is not known
}

// input registers a source. All that can be known are registered before the
// run starts; each one more makes the credit of the others smaller.
func (b *Budget) input(name string) *Input {
	b.mu.Lock()
	defer b.mu.Unlock()
	in := &Input{budget: b, name: name}
	b.inputs = append(b.inputs, in)
	return in
}

// credit is what is kept for each input: its part of what is not expected to be
// charged to accounts.
func (in *Input) credit() int64 {
	if in.unmetered {
		return 0
	}
	b := in.budget
	return (b.limit - min(b.expected, b.limit/2)) / int64(len(b.inputs))
}

// PageBytes is the size of page that the input should ask for: DefaultPageBytes,
// or less where the budget is small, so that several fit.
func (in *Input) PageBytes() int64 {
	in.budget.mu.Lock()
	defer in.budget.mu.Unlock()
	return in.pageBytes()
}

// Limit is the budget of the run, which all its inputs share.
func (in *Input) Limit() int64 { return in.budget.limit }

func (in *Input) pageBytes() int64 { return max(1, min(DefaultPageBytes, in.credit()/4)) }

// share is the part of the budget kept for the input: what Reserve asks for at
// most.
func (in *Input) share() int64 { return min(in.credit(), 2*in.pageBytes()) }

// Reserve waits for room for a page of about so many bytes and returns its
// lease. An estimate above the input's credit is cut to it, so that one page
// can always be read. Errors: BudgetHeldError, or the cause of ctx.
func (in *Input) Reserve(ctx context.Context, estimate int64) (*Lease, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	b := in.budget
	b.mu.Lock()
	in.done = false // a stream that is read twice in one run, one after the other
	bytes := max(1, min(estimate, in.share()))
	if b.fits(in, bytes) {
		lease := b.grant(in, bytes)
		b.mu.Unlock()
		return lease, nil
	}
	w := &waiter{in: in, reading: in.reading(ctx), bytes: bytes, granted: make(chan error, 1)}
	b.waiters = append(b.waiters, w)
	in.waits(1, w.reading)
	b.wake()
	b.mu.Unlock()

	select {
	case err := <-w.granted:
		switch {
		case err != nil && ctx.Err() != nil: // which may be why others let go of nothing
			return nil, context.Cause(ctx)
		case err != nil:
			return nil, err
		}
		return b.leased(in, w.bytes), nil
	case <-ctx.Done():
		b.mu.Lock()
		defer b.mu.Unlock()
		select {
		case err := <-w.granted: // granted meanwhile: give it back
			if err == nil {
				b.giveBack(in, w.bytes)
			}
		default:
			b.forget(w)
		}
		return nil, context.Cause(ctx)
	}
}

// Unmetered says that the input's rows come in without a reservation (a
// foreign Observable): it needs no credit.
func (in *Input) Unmetered() {
	in.budget.mu.Lock()
	defer in.budget.mu.Unlock()
	in.unmetered = true
}

// Done says that the source will reserve nothing more. One that does not call it does
// so when it returns. Its credit is free for the others then, unless the stream may be
// read again.
func (in *Input) Done() {
	in.budget.mu.Lock()
	defer in.budget.mu.Unlock()
	in.done = in.running <= 1
	in.budget.wake()
}

// fits keeps the share of every other input, or what its pages in flight leave of it: they
// may be small ones, and what holders do with them may need a page more. An
// input without a page is granted its own also where pages of others turned
// out larger than the budget: they may be waiting for this one. A further page leaves
// room for what accounts expect: half of what
// operators do not hold at most, since these may need many pages more to let go of any.
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

func (b *Budget) grant(in *Input, bytes int64) *Lease {
	b.open(in, bytes)
	return b.leased(in, bytes)
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

func (b *Budget) leased(in *Input, bytes int64) *Lease {
	return &Lease{budget: b, input: in, bytes: bytes, fetching: true}
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

// arrived ends the fetch of a lease: its page is here, or will not come.
func (b *Budget) arrived(l *Lease) {
	if l.fetching {
		l.fetching = false
		b.fetching--
	}
}
