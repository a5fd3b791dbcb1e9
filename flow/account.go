package flow

import (
	"slices"
	"sync/atomic"
)

// Account is charged with the bytes of rows that an operator or a sink keeps after the delivery of
// their page.
type Account struct {
	budget  *Budget
	name    string
	frees   bool  // frees what it holds in time, without another page
	past    bool  // rows that it holds come to no stage with a Frontier any more
	most    int64 // see Expect
	held    int64
	largest int64
	moving  int   // reservations that are handed on, see Reservation.Emit
	passing int64 // bytes of these

	task *Task                // of the stage; nil if not known
	call atomic.Pointer[call] // in which the account is used; nil until that is known, see place

	holds  atomic.Int64 // of receipts, not given back
	listed atomic.Bool  // among the budget's accounts; set under its mutex
}

// Account opens an account for the stage, see Budget.Account.
func (t *Task) Account(name string, frees bool) *Account { return t.budget.account(name, frees, t) }

// Account opens an account for a stage. frees says that what the account holds is released by
// itself in time, like writes in flight or a batch with a time limit. Only an account that does not
// free can hold a run up for ever.
func (b *Budget) Account(name string, frees bool) *Account { return b.account(name, frees, nil) }

func (b *Budget) account(name string, frees bool, of *Task) *Account {
	a := &Account{budget: b, name: name, frees: frees, task: of}
	b.mu.Lock()
	defer b.mu.Unlock()
	a.past = of != nil && of.past
	return a
}

// list notes that the account has something. Those that have nothing any more go when there are
// twice as many as had something the last time: a stage that a run reads again opens an account for
// each reading, and a run may last for years. The caller holds the mutex.
func (b *Budget) list(a *Account) {
	if a.listed.Load() {
		return
	}
	if len(b.accounts) >= b.sweepAt {
		b.accounts = slices.DeleteFunc(b.accounts, (*Account).unlist)
		b.sweepAt = max(leastSweep, 2*len(b.accounts))
	}
	a.listed.Store(true)
	b.accounts = append(b.accounts, a)
}

const leastSweep = 16

// unlist reports whether the account has nothing, so that it need not be known. It is listed again
// when it has. The caller holds the budget's mutex.
func (a *Account) unlist() bool {
	if a.held != 0 || a.moving > 0 {
		return false
	}
	a.listed.Store(false)
	if a.holds.Load() != 0 { // looked at after that, as hold lists the account after it has counted
		a.listed.Store(true)
		return false
	}
	return true
}

// hold counts holds of receipts.
func (a *Account) hold(n int) {
	if a.holds.Add(int64(n)); a.listed.Load() {
		return
	}
	a.budget.mu.Lock()
	defer a.budget.mu.Unlock()
	a.budget.list(a)
}

// Expect says that the account will be charged with up to so many bytes, and that some of them come
// on top of the bytes of the pages: the copies and arguments of requests, for example. Sources
// leave room for that, at most half of the budget. Call it in Open of a sink, for an account that
// frees what it holds.
func (a *Account) Expect(bytes int64) {
	b := a.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	b.expected += bytes - a.most
	b.due -= a.due()
	a.most = bytes
	b.due += a.due()
}

// due returns the bytes that the account expects and is not charged with yet.
func (a *Account) due() int64 { return max(0, a.most-a.held) }

// Reservation returns an empty reservation for rows that are kept under the account. Its Position
// is that of rows of several parts (Range is -1).
func (a *Account) Reservation() *Reservation {
	return &Reservation{Position: Position{Range: -1}, budget: a.budget, account: a, holder: a}
}

// Held returns the bytes that the account is charged with now.
func (a *Account) Held() int64 {
	a.budget.mu.Lock()
	defer a.budget.mu.Unlock()
	return a.held
}

func (b *Budget) take(l, from *Reservation, bytes int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	moved := max(0, min(bytes, from.bytes))
	from.bytes -= moved
	if from.input != nil {
		from.input.carries(from.reading, 0, -moved)
	}
	if from.account != nil {
		b.charge(from.account, -moved)
	}
	from.pass(-moved)
	l.bytes += bytes
	if l.account != nil {
		b.charge(l.account, bytes)
	}
	l.pass(bytes)
	b.add(bytes - moved)
}

func (b *Budget) charge(a *Account, bytes int64) {
	b.list(a)
	b.due -= a.due()
	a.held += bytes
	b.due += a.due()
	a.largest = max(a.largest, a.held)
	if !a.frees {
		b.held += bytes
		if bytes < 0 {
			b.let++
		}
	}
}

// pass counts bytes of a reservation that is handed on. The caller holds the budget's mutex.
func (res *Reservation) pass(bytes int64) {
	if res.moving {
		res.holder.passing += bytes
	}
}

// emit notes that the reservation's rows are being delivered, until it is released.
func (b *Budget) emit(l *Reservation) {
	if l.account == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	l.moving = true
	b.moving++
	l.holder.moving++
	b.charge(l.account, -l.bytes)
	l.account = nil
	l.pass(l.bytes)
}

func (b *Budget) release(l *Reservation) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if l.input != nil {
		l.input.carries(l.reading, -1, -l.bytes)
		b.arrived(l)
		l.input = nil
	}
	if l.account != nil {
		b.charge(l.account, -l.bytes)
	}
	if l.moving {
		l.pass(-l.bytes)
		l.moving = false
		b.moving--
		l.holder.moving--
	}
	b.used -= l.bytes
	l.bytes = 0
	b.wake()
}

func (b *Budget) fail(l *Reservation) {
	if l.reading == nil {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	l.reading.fail()
}

func (b *Budget) correct(l *Reservation, bytes int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.arrived(l)
	less := bytes < l.bytes
	b.add(bytes - l.bytes)
	if l.input != nil {
		l.input.carries(l.reading, 0, bytes-l.bytes)
		l.input.granted += bytes - l.bytes
	}
	l.pass(bytes - l.bytes)
	l.bytes = bytes
	b.largest = max(b.largest, bytes)
	if less {
		b.wake()
	}
}

// stuck reports whether nobody can make room. That is so when nothing moves, no waiter is about to
// leave, and every input that is not done only waits and cannot begin. A page whose bytes have all
// been taken still moves until its delivery returns, whether a source or a holder delivers it: the
// stage that took them may be about to hand on what it keeps. What is blocked (InStep) does not
// move.
func (b *Budget) stuck() bool {
	all := b.blocked()
	if b.used-all.bytes() > b.held || b.moving > all.moving || slices.ContainsFunc(b.waiters, (*waiter).leaves) {
		return false
	}
	for _, in := range b.inputs {
		if in.moves() {
			return false
		}
	}
	return true
}

func (b *Budget) heldError() error {
	worst := &BudgetHeldError{Stage: "unknown", Budget: b.limit}
	for _, a := range b.accounts {
		held := a.held
		switch {
		case a.blocked():
			held += a.passing
		case a.frees:
			continue
		}
		if held > worst.Held {
			worst.Stage, worst.Held = a.name, held
		}
	}
	for _, in := range b.inputs {
		if in.kept > worst.Held {
			worst.Stage, worst.Held = in.name, in.kept
		}
	}
	return worst
}
