package flow

import "slices"

// waiter is a reservation that waits for room.
type waiter struct {
	in      *Input
	bytes   int64
	granted chan error
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
		w.in.waiting--
		w.granted <- err
	}
	b.waiters = nil
}

func (b *Budget) allow(w *waiter) {
	w.in.waiting--
	b.open(w.in, w.bytes)
	w.granted <- nil
}

// lend grants one page out of the credit kept for others, when all wait and so
// none of them can use it. The input that has had least gets it: that is the one
// whose rows the holders are short of.
func (b *Budget) lend() bool {
	var least *waiter
	for _, w := range b.waiters {
		if b.used+w.bytes <= b.limit && (least == nil || w.in.granted < least.in.granted) {
			least = w
		}
	}
	if least == nil {
		return false
	}
	b.waiters = slices.DeleteFunc(b.waiters, func(w *waiter) bool { return w == least })
	b.allow(least)
	return true
}

// look finds out whether those who wait can still go on.
func (b *Budget) look() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiters) > 0 {
		b.wake()
	}
}
