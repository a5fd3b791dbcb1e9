package flow

// Reservation is what rows in flight have to give back: bytes of the budget to release, and
// receipts to settle. These are two separate things. Bytes are released when the rows are no longer
// in memory; a receipt is settled when what became of the rows is durable.
//
// One goroutine at a time may use a reservation.
type Reservation struct {
	Position
	// Watermark is the event time up to which the part is complete after the page's rows.
	Watermark Watermark
	// Idle is that the source has asked for more of the part in vain; nil if the part is not idle.
	Idle *Idle // see Advance

	budget   *Budget
	input    *Input   // whose credit the reservation uses; nil for kept rows
	reading  *reading // that made the reservation; nil if not known
	account  *Account // the holder; nil while the rows move
	holder   *Account // the holder, also while the rows move; nil for a page as it was read
	bytes    int64
	fetching bool
	coming   int64 // what the fetch was estimated at
	moving   bool  // see Emit
	fresh    bool  // it has rows that no earlier run has read; see Frontier.Counted
	before   bool  // see WasRead
	receipts []*Receipt
	single   [1]*Receipt  // saves a page the allocation of a slice
	lastFrom *Reservation // what Take took from last, so that each page is held once
}

// Bytes returns how many bytes of the budget the reservation holds now.
func (res *Reservation) Bytes() int64 { return res.bytes }

// Take keeps rows of a page after its delivery. It takes a hold on every receipt of from (one only,
// if called again for the same page) and moves so many bytes of the budget from from to res. If
// from has not that many left, because an operator made the rows larger than they were read, the
// rest is charged on top, without waiting. A holder that keeps only a folded state takes 0 bytes.
func (res *Reservation) Take(from *Reservation, bytes int64) {
	if res.lastFrom != from {
		res.lastFrom = from
		if res.holder != nil {
			res.holder.place(from)
		}
		for _, r := range from.receipts {
			r.Hold()
			if res.holder != nil && r.holder.Load() != res.holder {
				r.holder.Store(res.holder)
			}
			if res.feeds() {
				r.feed(1)
			}
		}
		if res.holder != nil {
			res.holder.hold(len(from.receipts))
		}
		res.receipts = append(res.receipts, from.receipts...)
	}
	res.fresh = res.fresh || from.fresh
	if bytes <= 0 {
		return
	}
	res.budget.take(res, from, bytes)
}

// TakeBytes moves so many bytes of the budget from from to res, and no receipts. It is for what a
// holder keeps of a page that is no row of it, such as keys and states, and whose receipts it holds
// elsewhere, or need not hold. If from has not that many left, or is nil, the rest is charged on
// top, without waiting.
func (res *Reservation) TakeBytes(from *Reservation, bytes int64) {
	if bytes <= 0 {
		return
	}
	if from == nil {
		from = &Reservation{}
	}
	if res.holder != nil {
		res.holder.place(from)
	}
	res.budget.take(res, from, bytes)
}

// Emit makes kept rows move again: the holder hands them on as a page, and its account is no longer
// charged. After the delivery the holder calls Settle. Until then the budget counts the page as
// moving, even if others have taken all its bytes.
func (res *Reservation) Emit() {
	res.lastFrom = nil
	res.budget.emit(res)
}

// Settle releases the bytes that are left, and gives back the holds on the receipts. Whoever made
// the reservation calls it once, when the rows have been delivered downstream or made durable.
func (res *Reservation) Settle() {
	res.Release()
	receipts := res.receipts
	res.receipts, res.lastFrom, res.fresh = nil, nil, false
	if res.holder != nil {
		res.holder.holds.Add(-int64(len(receipts)))
	}
	for _, r := range receipts {
		if res.feeds() {
			r.feed(-1)
		}
		r.Settle()
	}
}

// feeds reports whether rows of the reservation may still come to a stage with a Frontier.
func (res *Reservation) feeds() bool { return res.holder == nil || !res.holder.past }

// Finish ends the reservation of a page that was delivered with the result err. It settles if err
// is nil, or if an operator ended the stream on purpose: that operator does not need the rest of
// the page. After any other error the receipts stay open, so that nothing of the page counts as
// done.
//
// Sources also call it for a page that could not be read. Then a source that waits for room is not
// told that nothing moves (BudgetHeldError) before this one has returned its error.
func (res *Reservation) Finish(err error) {
	if err == nil || res.ends(err) {
		res.Settle()
		return
	}
	res.budget.fail(res)
	res.Release()
	if res.holder != nil { // it keeps nothing any more
		res.holder.holds.Add(-int64(len(res.receipts)))
	}
	res.receipts, res.lastFrom = nil, nil
}

// ends reports whether an error says that an operator of the reservation's run has ended the stream
// on purpose.
func (res *Reservation) ends(err error) bool {
	end := EndOf(err)
	return end != nil && (res.budget == nil || end.Of(res.budget))
}

// Release releases the bytes and leaves the receipts open.
func (res *Reservation) Release() { res.budget.release(res) }

// AddReceipt adds a receipt. The reservation takes over the caller's hold on it. From then on the
// reservation of a page as it was read says which source the page is of.
func (res *Reservation) AddReceipt(r *Receipt) {
	if res.Source == nil && res.reading != nil {
		res.Source = res.reading.origin
	}
	if res.budget != nil {
		res.budget.owing.add(r, res)
	}
	if res.holder != nil {
		res.holder.hold(1)
	}
	res.fresh = res.fresh || r.page == nil || r.page.fresh(res.before)
	if res.receipts == nil {
		res.single[0] = r
		res.receipts = res.single[:]
		return
	}
	res.receipts = append(res.receipts, r)
}

// Empty reports whether the reservation has neither bytes nor receipts.
func (res *Reservation) Empty() bool { return res.bytes == 0 && len(res.receipts) == 0 }

// Resize replaces the estimate that a fetch reserved by the bytes that arrived, and counts the
// page. It never waits, so a fetch may exceed the budget by one page, as Budget says.
func (res *Reservation) Resize(bytes int64) { res.budget.correct(res, bytes) }
