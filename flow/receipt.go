package flow

import "sync/atomic"

// A Receipt stands for one page read. It is settled exactly once: when
// everything made from the page is durable, dropped on purpose or
// dead-lettered. Whoever keeps something of the page beyond the call that
// brought it takes a hold, and gives it back when that thing is done with; the
// receipt settles with the last hold given back.
//
// A run that fails leaves the receipts of unfinished pages unsettled: that is
// what a later run starts from.
//
// Hold and Settle may be called from any goroutine.
type Receipt struct {
	holds     atomic.Int64
	onSettled func()
	page      *trackedPage // whose position it stands for; nil without a checkpoint

	at     Position                // of the page
	source string                  // that read it
	holder atomic.Pointer[Account] // that took the last hold

	in            *owing // nil if no page owes it
	before, after *Receipt
}

// NewReceipt returns a receipt with one hold, the caller's. onSettled, which
// may be nil, is called once, by whoever gives back the last hold; it must not
// block.
func NewReceipt(onSettled func()) *Receipt {
	r := &Receipt{onSettled: onSettled}
	r.holds.Store(1)
	return r
}

// Hold adds a hold. The caller must own one already (its page is being
// delivered to it, say); a hold on a settled receipt panics, because the page
// has been counted as done.
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

// Settle gives one hold back and settles the receipt if it was the last. One
// call too many panics: a receipt settled twice would let a checkpoint pass
// rows that are not durable. Neither panic changes the receipt.
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

// Settled tells whether every hold has been given back.
func (r *Receipt) Settled() bool { return r.holds.Load() == 0 }
