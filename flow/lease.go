package flow

// A Lease is what rows in flight owe: bytes of the budget to release and
// receipts to settle. Its two endings are separate things. Bytes are released
// when the rows are no longer in memory; a receipt is settled when what became
// of the rows is durable.
//
// A lease is used by one goroutine at a time.
type Lease struct {
	Position
	// Watermark is that of the part behind the page's rows.
	Watermark Watermark

	budget   *Budget
	input    *Input   // the input whose credit the lease uses, nil for kept rows
	reading  *reading // that reserved it, nil if that is not known
	account  *Account // the holder, nil while the rows move
	holder   *Account // the holder, also while the rows move; nil for a page as it was read
	bytes    int64
	fetching bool
	moving   bool // see Emit
	receipts []*Receipt
	single   [1]*Receipt // spares a page its slice
	lastFrom *Lease      // what Take added last, so that a page is held once
}

// Bytes are the bytes of the budget that the lease holds now.
func (l *Lease) Bytes() int64 { return l.bytes }

// Take keeps rows of a page beyond its delivery: it takes a hold on every
// receipt of from (once for as long as the same page is taken from) and moves
// bytes of the budget from it. What from cannot give is charged on top, without
// waiting: rows that an operator made larger than they were read.
// Holders that keep only a folded state take 0 bytes.
func (l *Lease) Take(from *Lease, bytes int64) {
	if l.lastFrom != from {
		l.lastFrom = from
		for _, r := range from.receipts {
			r.Hold()
			if l.holder != nil && r.holder.Load() != l.holder {
				r.holder.Store(l.holder)
			}
		}
		if l.holder != nil {
			l.holder.holds.Add(int64(len(from.receipts)))
		}
		l.receipts = append(l.receipts, from.receipts...)
	}
	if bytes <= 0 {
		return
	}
	l.budget.take(l, from, bytes)
}

// Emit makes kept rows move again: the holder hands them on as a page and its
// account no longer answers for them. The holder calls End after delivery: until
// then the budget waits for what comes of it, also when others have taken all bytes.
func (l *Lease) Emit() {
	l.lastFrom = nil
	l.budget.emit(l)
}

// End releases the bytes that are left and settles the receipts. The caller is
// the one who made the lease; it calls End once, when the rows have been
// delivered downstream or made durable.
func (l *Lease) End() {
	l.Release()
	receipts := l.receipts
	l.receipts, l.lastFrom = nil, nil
	if l.holder != nil {
		l.holder.holds.Add(-int64(len(receipts)))
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
func (l *Lease) Finish(err error) {
	if err == nil || IsEnd(err) {
		l.End()
		return
	}
	l.budget.fail(l)
	l.Release()
}

// Release gives the bytes back and leaves the receipts open.
func (l *Lease) Release() { l.budget.release(l) }

// Owe adds a receipt of which the lease takes over the caller's hold.
func (l *Lease) Owe(r *Receipt) {
	if l.budget != nil {
		l.budget.owing.add(r, l)
	}
	if l.holder != nil {
		l.holder.holds.Add(1)
	}
	if l.receipts == nil {
		l.single[0] = r
		l.receipts = l.single[:]
		return
	}
	l.receipts = append(l.receipts, r)
}

// Empty tells whether the lease owes nothing.
func (l *Lease) Empty() bool { return l.bytes == 0 && len(l.receipts) == 0 }

// Correct replaces the estimate that a fetch reserved by what arrived, and
// counts the page. It never waits: this is the overshoot of one page a fetch
// that the budget's promise allows for.
func (l *Lease) Correct(bytes int64) { l.budget.correct(l, bytes) }
