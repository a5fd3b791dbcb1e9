package flow

import "slices"

// waiter is a reservation that waits for room.
type waiter struct {
	in      *Input
	reading *reading // nil if that is not known
	bytes   int64
	granted chan error
	ended   func() error // of the context
}

// leaves reports whether whoever waits has been told to, and will forget the waiter.
func (w *waiter) leaves() bool { return w.ended() != nil }

func (b *Budget) forget(w *waiter) {
	for i, each := range b.waiters {
		if each == w {
			b.waiters = append(b.waiters[:i], b.waiters[i+1:]...)
			w.in.waits(-1, w.reading)
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
			b.allow(w)
			continue
		}
		kept = append(kept, w)
	}
	clear(b.waiters[len(kept):])
	b.waiters = kept
	if len(b.waiters) == 0 || !b.stuck() || b.lend() {
		return
	}
	err := b.heldError()
	for _, w := range b.waiters {
		w.in.waits(-1, w.reading)
		w.granted <- err
	}
	b.waiters = nil
}

func (b *Budget) allow(w *waiter) {
	w.in.waits(-1, w.reading)
	b.open(w.in, w.bytes)
	w.granted <- nil
}

// lend grants one page out of the credit kept for others, when all wait and so
// none of them can use it. Nobody knows whose rows the holders are short of. So each input
// gets a page before any gets another, the one that has had least first; and the one whose
// page made holders let go of something is the first to get the next. The
// page is found room for as long as there is any: what it takes more is the overshoot of
// the one page that is fetched.
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
	next.bytes = min(next.bytes, b.limit-b.used)
	next.in.lent, b.lately = b.let, next.in
	b.allow(next)
	return true
}

// tried reports whether the input has been lent a page since holders last let go of any.
func (in *Input) tried() bool { return in.lent == in.budget.let }

func (w *waiter) lendable() bool {
	b := w.in.budget
	return b.used < b.limit && (!w.in.tried() || b.used+w.bytes <= b.limit)
}

func (w *waiter) before(other *waiter) bool {
	in, than := w.in, other.in
	switch {
	case in.tried() != than.tried():
		return than.tried()
	case !in.tried() && in != than && (in == in.budget.lately || than == in.budget.lately):
		return in == in.budget.lately
	}
	return in.granted < than.granted
}

// look finds out whether those who wait can still go on. Under the mutex.
func (b *Budget) look() {
	if len(b.waiters) > 0 {
		b.wake()
	}
}
