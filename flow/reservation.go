package flow

// A Reservation is what rows in flight owe: bytes of the budget to release and
// receipts to settle. Its two endings are separate things. Bytes are released
// when the rows are no longer in memory; a receipt is settled when what became
// of the rows is durable.
//
// A reservation is used by one goroutine at a time.
type Reservation struct {
	Position
	// Watermark is that of the part behind the page's rows.
	Watermark Watermark

	budget   *Budget
	input    *Input   // the input whose credit the reservation uses, nil for kept rows
	reading  *reading // that reserved it, nil if that is not known
	account  *Account // the holder, nil while the rows move
	holder   *Account // the holder, also while the rows move; nil for a page as it was read
	bytes    int64
	fetching bool
	moving   bool // see Emit
	receipts []*Receipt
	single   [1]*Receipt  // spares a page its slice
	lastFrom *Reservation // what Take added last, so that a page is held once
}

// Bytes are the bytes of the budget that the reservation holds now.
func (res *Reservation) Bytes() int64 { return res.bytes }

// Take keeps rows of a page beyond its delivery: it takes a hold on every
// receipt of from (once for as long as the same page is taken from) and moves
// bytes of the budget from it. What from cannot give is charged on top, without
// waiting: rows that an operator made larger than they were read.
// Holders that keep only a folded state take 0 bytes.
func (res *Reservation) Take(from *Reservation, bytes int64) {
	if res.lastFrom != from {
		res.lastFrom = from
		for _, r := range from.receipts {
			r.Hold()
			if res.holder != nil && r.holder.Load() != res.holder {
				r.holder.Store(res.holder)
			}
		}
		if res.holder != nil {
			res.holder.holds.Add(int64(len(from.receipts)))
		}
		res.receipts = append(res.receipts, from.receipts...)
	}
	if bytes <= 0 {
		return
	}
	res.budget.take(res, from, bytes)
}

// Emit makes kept rows move again: the holder hands them on as a page and its
// account no longer answers for them. The holder calls Settle after delivery: until
// then the budget waits for what comes of it, also when others have taken all bytes.
func (res *Reservation) Emit() {
	res.lastFrom = nil
	res.budget.emit(res)
}

// Settle releases the bytes that are left and settles the receipts. The caller is
// the one who made the reservation; it calls Settle once, when the rows have been
// delivered downstream or made durable.
func (res *Reservation) Settle() {
	res.Release()
	receipts := res.receipts
	res.receipts, res.lastFrom = nil, nil
	if res.holder != nil {
		res.holder.holds.Add(-int64(len(receipts)))
	}
	for _, r := range receipts {
		r.Settle()
	}
}

// Finish is End for a page that has been delivered with this result: after an
// error the receipts stay open, so that nothing of the page counts as done; an
// operator that ended the stream on purpose, though, has done with the rest. Sources
// also call it for a page that could not be read: none of those who wait for room is told
// that nothing moves before the source has returned the error.
func (res *Reservation) Finish(err error) {
	if err == nil || IsEnd(err) {
		res.Settle()
		return
	}
	res.budget.fail(res)
	res.Release()
}

// Release gives the bytes back and leaves the receipts open.
func (res *Reservation) Release() { res.budget.release(res) }

// AddReceipt adds a receipt of which the reservation takes over the caller's hold. From then on the reservation of
// a page as it was read says which source it is of.
func (res *Reservation) AddReceipt(r *Receipt) {
	if res.Source == nil && res.reading != nil {
		res.Source = res.reading.origin
	}
	if res.budget != nil {
		res.budget.owing.add(r, res)
	}
	if res.holder != nil {
		res.holder.holds.Add(1)
	}
	if res.receipts == nil {
		res.single[0] = r
		res.receipts = res.single[:]
		return
	}
	res.receipts = append(res.receipts, r)
}

// Empty tells whether the reservation owes nothing.
func (res *Reservation) Empty() bool { return res.bytes == 0 && len(res.receipts) == 0 }

// Resize replaces the estimate that a fetch reserved by what arrived, and
// counts the page. It never waits: this is the overshoot of one page a fetch
// that the budget's promise allows for.
func (res *Reservation) Resize(bytes int64) { res.budget.correct(res, bytes) }
