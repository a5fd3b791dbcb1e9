package flow

import "sync/atomic"

// Receipt stands for one page read. It is settled exactly once: when everything made from the page
// is durable, dropped on purpose or dead-lettered. To keep something of the page longer than the
// call that brought it, take a hold, and give it back when you are done with that thing. The
// receipt settles when the last hold is given back.
//
// A run that fails leaves the receipts of unfinished pages unsettled: a later run starts from these
// pages.
//
// Hold and Settle may be called from any goroutine.
type Receipt struct {
	holds     atomic.Int64
	onSettled func()
	page      *trackedPage // the page that it is for; nil without a checkpoint
	feeds     atomic.Int32 // of holds: that of the delivery, and those of stages whose rows may still come to one with a Frontier

	at     Position                // of the page
	source string                  // that read it
	holder atomic.Pointer[Account] // that took the last hold

	in            *owing // nil if no page carries it
	before, after *Receipt
	givenUp       bool // see Budget.GiveUp
}

// NewReceipt returns a receipt with one hold, the caller's. onSettled, which may be nil, is called
// once, by the goroutine that gives back the last hold. It must not block.
func NewReceipt(onSettled func()) *Receipt {
	r := &Receipt{onSettled: onSettled}
	r.holds.Store(1)
	return r
}

// Hold adds a hold. The caller must have one already; during the delivery of a page, the page has
// it for the caller. A hold on a settled receipt panics, because its page has been counted as done.
func (r *Receipt) Hold() {
	for {
		n := r.holds.Load()
		if n <= 0 {
			panic("rxcql: hold on a receipt that is settled")
		}
		if r.holds.CompareAndSwap(n, n+1) {
			return
		}
	}
}

// Settle gives one hold back, and settles the receipt if that was the last. One call too many
// panics: a receipt settled twice would let a checkpoint pass rows that are not durable. The panics
// of Hold and Settle leave the receipt as it was.
func (r *Receipt) Settle() {
	for {
		n := r.holds.Load()
		if n <= 0 {
			panic("rxcql: receipt settled twice")
		}
		if !r.holds.CompareAndSwap(n, n-1) {
			continue
		}
		if n > 1 {
			return
		}
		if r.in != nil {
			r.in.remove(r)
		}
		if r.onSettled != nil {
			r.onSettled()
		}
		return
	}
}

// Settled reports whether every hold has been given back.
func (r *Receipt) Settled() bool { return r.holds.Load() == 0 }

// feed counts holds in or out that are of the delivery, or of stages before one with a Frontier.
// When none is left, every row of the page has come to each of these or comes no more: the page has
// been taken in as a whole.
func (r *Receipt) feed(n int32) {
	if r.page != nil && r.feeds.Add(n) == 0 {
		r.page.track.takenIn(r.page)
	}
}
