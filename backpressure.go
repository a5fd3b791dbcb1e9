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
// Every input of a pipeline keeps one page of credit that no other input can
// use, so that operators waiting for one input cannot be starved by another.
// If nothing moves and what operators hold leaves no room for a page, waiting
// would be for ever: the run fails with BudgetHeldError.
//
// All methods are safe for concurrent use.
type Budget struct {
	limit int64

	mu           sync.Mutex
	used         int64
	held         int64 // the part of used held by accounts that no time frees
	peak         int64
	largest      int64
	fetching     int
	peakFetching int
	inputs       []*Input
	accounts     []*Account
	waiters      []*waiter
}

type waiter struct {
	in      *Input
	bytes   int64
	granted chan error
}

func newBudget(limit int64) *Budget { return &Budget{limit: limit} }

// Input is one source's side of the budget.
type Input struct {
	budget      *Budget
	name        string
	credit      int64
	outstanding int // leases alive, kept rows not counted
	waiting     int
	done        bool
}

// input registers a source; all are registered before the run starts.
func (b *Budget) input(name string) *Input {
	in := &Input{budget: b, name: name}
	b.inputs = append(b.inputs, in)
	for _, each := range b.inputs {
		each.credit = b.limit / int64(len(b.inputs))
	}
	return in
}

// PageBytes is the size of page that the input should ask for: DefaultPageBytes,
// or less where the budget is small, so that several fit.
func (in *Input) PageBytes() int64 { return max(1, min(DefaultPageBytes, in.credit/4)) }

// Reserve waits for room for a page of about so many bytes and returns its
// lease. An estimate above the input's credit is cut to it, so that one page
// can always be read. Errors: BudgetHeldError, or the cause of ctx.
func (in *Input) Reserve(ctx context.Context, estimate int64) (*Lease, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	b := in.budget
	bytes := max(1, min(estimate, in.PageBytes()*2, in.credit))
	b.mu.Lock()
	if b.fits(in, bytes) {
		lease := b.grant(in, bytes)
		b.mu.Unlock()
		return lease, nil
	}
	w := &waiter{in: in, bytes: bytes, granted: make(chan error, 1)}
	b.waiters = append(b.waiters, w)
	in.waiting++
	b.wake()
	b.mu.Unlock()

	select {
	case err := <-w.granted:
		if err != nil {
			return nil, err
		}
		return b.leased(in, bytes), nil
	case <-ctx.Done():
		b.mu.Lock()
		defer b.mu.Unlock()
		select {
		case err := <-w.granted: // granted meanwhile: give it back
			if err == nil {
				b.giveBack(in, bytes)
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
	in.credit = 0
}

// Done says that the input will reserve nothing more; its credit is free for
// the others.
func (in *Input) Done() {
	in.budget.mu.Lock()
	defer in.budget.mu.Unlock()
	in.done = true
	in.budget.wake()
}

// fits keeps the credit of every other input that has no page in flight.
func (b *Budget) fits(in *Input, bytes int64) bool {
	if b.used == 0 {
		return true
	}
	room := b.limit
	for _, other := range b.inputs {
		if other != in && !other.done && other.outstanding == 0 {
			room -= min(other.credit, 2*other.PageBytes()) // what Reserve asks for at most
		}
	}
	return b.used+bytes <= room
}

func (b *Budget) grant(in *Input, bytes int64) *Lease {
	b.open(in, bytes)
	return b.leased(in, bytes)
}

func (b *Budget) open(in *Input, bytes int64) {
	in.outstanding++
	b.fetching++
	b.peakFetching = max(b.peakFetching, b.fetching)
	b.add(bytes)
}

func (b *Budget) leased(in *Input, bytes int64) *Lease {
	return &Lease{budget: b, input: in, bytes: bytes, fetching: true}
}

func (b *Budget) giveBack(in *Input, bytes int64) {
	in.outstanding--
	b.fetching--
	b.used -= bytes
	b.wake()
}

func (b *Budget) add(bytes int64) {
	b.used += bytes
	b.peak = max(b.peak, b.used)
}

func (b *Budget) forget(w *waiter) {
	for i, each := range b.waiters {
		if each == w {
			b.waiters = append(b.waiters[:i], b.waiters[i+1:]...)
			w.in.waiting--
			b.wake()
			return
		}
	}
}

// wake grants what fits, first come first served, and ends a wait that could
// never end.
func (b *Budget) wake() {
	kept := b.waiters[:0]
	for _, w := range b.waiters {
		if b.fits(w.in, w.bytes) {
			w.in.waiting--
			b.open(w.in, w.bytes)
			w.granted <- nil
			continue
		}
		kept = append(kept, w)
	}
	clear(b.waiters[len(kept):])
	b.waiters = kept
	if len(b.waiters) == 0 || !b.stuck() {
		return
	}
	err := b.heldError()
	for _, w := range b.waiters {
		w.in.waiting--
		w.granted <- err
	}
	b.waiters = nil
}

// arrived ends the fetch of a lease: its page is here, or will not come.
func (b *Budget) arrived(l *Lease) {
	if l.fetching {
		l.fetching = false
		b.fetching--
	}
}
