package flow

import "slices"

// waiter is a reservation that waits for room.
type waiter struct {
	in      *Input
	reading *reading // nil if not known
	bytes   int64
	granted chan error
	ended   func() error // of the context
	keeps   *Reservation // that is to be refilled; nil for a new one
}

// leaves reports whether the goroutine that waits has been told to stop waiting, and will forget
// the waiter.
func (w *waiter) leaves() bool { return w.ended() != nil }

// blocked reports whether the page would be of no use now, see InStep.
func (w *waiter) blocked() bool { return w.reading != nil && w.reading.blocked() }

// useful reports whether the page is waited for. Where none of those who wait is, nobody is held up
// by the budget: rows of another input, or its end, are on their way, since its source would wait
// for room otherwise.
func (w *waiter) useful() bool { return !w.blocked() }

func (b *Budget) forget(w *waiter) {
	for i, each := range b.waiters {
		if each == w {
			b.waiters = append(b.waiters[:i], b.waiters[i+1:]...)
			b.refuse(w)
			b.wake()
			return
		}
	}
}

// wake grants what fits, first come first served, and ends waits that could never end.
func (b *Budget) wake() {
	kept := b.waiters[:0]
	for _, w := range b.waiters {
		if b.fits(w.in, w.reading, w.bytes) {
			b.allow(w)
			continue
		}
		kept = append(kept, w)
	}
	clear(b.waiters[len(kept):])
	b.waiters = kept
	if len(b.waiters) == 0 || !b.stuck() || b.lend() || !slices.ContainsFunc(b.waiters, (*waiter).useful) {
		return
	}
	err := b.heldError()
	for _, w := range b.waiters {
		b.refuse(w)
		w.granted <- err
	}
	b.waiters = nil
}

func (b *Budget) allow(w *waiter) {
	w.in.waits(-1, w.reading)
	if w.keeps == nil {
		b.open(w.in, w.reading, w.bytes)
	} else {
		b.keep(w, -1)
		b.refilled(w)
	}
	w.granted <- nil
}

// refuse ends a wait that gets nothing.
func (b *Budget) refuse(w *waiter) {
	w.in.waits(-1, w.reading)
	if w.keeps != nil {
		b.keep(w, -1)
		w.in.carries(w.reading, 1, 0)
	}
}

// lend grants one page out of the credit kept for others, when all wait and so none of them can use
// it. It is not known for which input's rows the holders wait. So each input gets a page before any
// gets another, the one that has had least first. An input whose page made holders release
// something is the first to get the next one. An input whose pages are blocked gets none: nobody
// waits for its rows. If there is any room at all, the page gets room: what it takes more is the
// overshoot of one fetched page that the budget allows.
func (b *Budget) lend() bool {
	var next *waiter
	for _, w := range b.waiters {
		if w.lendable() && (next == nil || w.before(next)) {
			next = w
		}
	}
	if next == nil {
		return false
	}
	b.waiters = slices.DeleteFunc(b.waiters, func(w *waiter) bool { return w == next })
	next.bytes = max(0, min(next.bytes, b.limit-b.used))
	next.in.lent, b.lately = b.let, next.in
	b.allow(next)
	return true
}

// tried reports whether the input has been lent a page since holders last released anything.
func (in *Input) tried() bool { return in.lent == in.budget.let }

// lendable reports whether the waiter may be lent a page. Pages that are blocked are no reason
// against it, however large they are: they go on once rows of another input have come. Nor is what
// holders have handed on and is blocked, as far as it is no more than so many pages. What waits to
// be refilled is none against refilling it: it is handed on once its source can read on.
func (w *waiter) lendable() bool {
	b := w.in.budget
	all := b.blocked()
	used := b.used - all.flight - all.spared(b.largest)
	if w.keeps != nil {
		used -= b.kept
	}
	return !w.blocked() && used < b.limit
}

func (w *waiter) before(other *waiter) bool {
	in, than := w.in, other.in
	switch {
	case in == than:
		return w.keeps != nil && other.keeps == nil // it lets go of what it has
	case in.tried() != than.tried():
		return than.tried()
	case !in.tried() && (in == in.budget.lately || than == in.budget.lately):
		return in == in.budget.lately
	}
	return in.granted < than.granted
}

// look finds out whether those who wait can still go on. The caller holds the mutex.
func (b *Budget) look() {
	if len(b.waiters) > 0 {
		b.wake()
	}
}
