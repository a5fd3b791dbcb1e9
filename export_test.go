package rxcql

import "time"

// What the tests of the budget need of it without a run.

func NewBudget(limit int64) *Budget { return newBudget(limit) }

func (b *Budget) NewInput(name string) *Input { return b.input(name) }

func (b *Budget) NewAccount(name string, frees bool) *Account { return b.newAccount(name, frees) }

func (b *Budget) Report() Report {
	var rep Report
	b.report(&rep)
	return rep
}

// Waiting is the number of reservations that wait.
func (b *Budget) Waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiters)
}

// Stuck reports whether the run's budget takes it for stuck.
func (s *Stage) Stuck() bool {
	b := s.run.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stuck()
}

// KeptLease is an empty lease of an account, as operators get it.
func (b *Budget) KeptLease() *Lease { return &Lease{budget: b} }

// Receipts is the number of holds that the lease will give back.
func (l *Lease) Receipts() int { return len(l.receipts) }

// NextReserved is what a save reserves, at a time, after saves and sinks have come so far.
func NextReserved(saved, asked int64, final bool, now time.Time) int64 {
	t := &timestamps{final: final}
	t.saved.Store(saved)
	t.asked.Store(asked)
	return t.next(now)
}
