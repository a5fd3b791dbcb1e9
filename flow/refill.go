package flow

import "context"

// A source that reads several things side by side keeps one reservation for what it has of all of
// them. Pages that it hands on are split off (Split), and before it reads on it waits until the
// reservation has room for what comes next as well (Refill).
//
// It must not have one reservation for each thing instead, and wait for the second while it has the
// first: several workers could each have one and wait for each other, and the budget would take
// their pages for pages on their way. While a reservation is refilled, the budget knows that what
// it has does not move.
//
// Refill gives all or nothing, so workers do not wait for each other for ever: whoever was refilled
// last had room next to what the others have, and those who wait take no more meanwhile. Where
// pages turn out larger than that, one who waits is let go on all the same, see lendable.

// Split moves so many bytes, at most all that there are, to a new reservation of the same source:
// for a page that is handed on while the rest of what was read stays.
func (res *Reservation) Split(bytes int64) *Reservation {
	b := res.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	moved := max(0, min(bytes, res.bytes))
	res.bytes -= moved
	res.input.carries(res.reading, 1, 0)
	return &Reservation{budget: b, input: res.input, reading: res.reading, bytes: moved}
}

// Refill waits until the reservation has so many bytes: those of what it stands for, and the
// estimate for what its source is about to fetch. More than the input's share of the budget is cut
// to that share. A reservation that has as many already waits only while more is in flight than the
// budget allows. Resize ends the fetch.
//
// Errors: BudgetHeldError, or the cause of ctx. The reservation then is what it was, and still has
// to be released.
func (res *Reservation) Refill(ctx context.Context, bytes int64) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	b, in := res.budget, res.input
	b.mu.Lock()
	b.arrived(res)
	in.carries(res.reading, -1, 0) // from here on it is none that moves
	w := &waiter{in: in, reading: res.reading, bytes: max(0, min(bytes, in.share())-res.bytes), keeps: res}
	if b.fits(in, w.reading, w.bytes) {
		b.refilled(w)
		b.mu.Unlock()
		return nil
	}
	b.keep(w, 1)
	return b.await(ctx, w)
}

// refilled gives a reservation what it waits for. The caller holds the mutex.
func (b *Budget) refilled(w *waiter) {
	b.open(w.in, w.reading, w.bytes)
	w.keeps.bytes += w.bytes
	w.keeps.fetching, w.keeps.coming = true, w.bytes
}

// keep counts a reservation that waits to be refilled in (1) or out (-1). The caller holds the
// mutex.
func (b *Budget) keep(w *waiter, n int) {
	bytes := int64(n) * w.keeps.bytes
	b.held += bytes
	b.kept += bytes
	b.keeping += n
	w.in.kept += bytes
	if w.reading != nil {
		w.reading.kept += bytes
	}
}
