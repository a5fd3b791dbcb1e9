package flow

import "slices"

// What the tests of the budget need of it without a stage.

func (b *Budget) NewInput(name string) *Input { return b.input(name, nil) }

// Waiting is the number of reservations that wait.
func (b *Budget) Waiting() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.waiters)
}

// Stuck reports whether the budget takes the run for stuck.
func (b *Budget) Stuck() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stuck()
}

// KeptReservation is an empty reservation of an account, as operators get it.
func (b *Budget) KeptReservation() *Reservation { return &Reservation{budget: b} }

// Receipts is the number of holds that the reservation will give back.
func (res *Reservation) Receipts() int { return len(res.receipts) }

// Accounts is the number of accounts that the budget knows.
func (b *Budget) Accounts() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.accounts)
}

// Knows reports whether the budget knows the account.
func (b *Budget) Knows(a *Account) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Contains(b.accounts, a)
}

// Remembered is the number of readings that the clock knows, those that have ended included.
func (c *EventClock) Remembered() int { return len(c.open) + len(c.over[0]) + len(c.over[1]) }

// Beyond is the number of pages that the track has in memory.
func (t *Track) Beyond() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.beyond)
}

// Compact joins pages now.
func (t *Track) Compact() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.joinSettled()
}
