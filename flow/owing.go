package flow

import (
	"cmp"
	"slices"
	"sync"
)

// owing has the receipts of a run that are not settled, the oldest first. So a run that ends with
// any can name the page, and the stage that kept it.
type owing struct {
	mu          sync.Mutex
	first, last *Receipt
	givenUp     int64 // pages, not in the list; see Budget.GiveUp
}

// Unsettled is a page whose receipt is not settled.
type Unsettled struct {
	Position
	Stage string   // which kept it, as far as known
	Or    []string // other stages that have kept pages: it may be one of these
}

// add notes the receipt of a page.
func (o *owing) add(r *Receipt, page *Reservation) {
	r.at = page.Position
	switch {
	case page.input != nil:
		r.source = page.input.name
	case page.holder != nil:
		r.source = page.holder.name
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	r.in, r.before = o, o.last
	if o.last != nil {
		o.last.after = r
	} else {
		o.first = r
	}
	o.last = r
}

// ComesFrom says of which reading of a source the page is, where it does not say so itself. The
// engine calls it behind a source: pages that were not reserved by Input.Reserve do not know. So
// the receipts that the page has already know it too, for GiveUp.
func (res *Reservation) ComesFrom(reading *Origin) {
	res.Source = reading
	if res.budget == nil {
		return
	}
	o := &res.budget.owing
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range res.receipts {
		if r.in == o && r.at.Source == nil {
			r.at.Source = reading
		}
	}
}

// remove forgets a receipt that is settled.
func (o *owing) remove(r *Receipt) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if r.givenUp { // and durable after all
		r.givenUp = false
		o.givenUp--
		return
	}
	o.unlink(r)
}

// unlink takes a receipt out of the list. The caller holds mu.
func (o *owing) unlink(r *Receipt) {
	if r.before != nil {
		r.before.after = r.after
	} else {
		o.first = r.after
	}
	if r.after != nil {
		r.after.before = r.before
	} else {
		o.last = r.before
	}
	r.before, r.after = nil, nil
}

// GiveUp says that the pages of these readings of sources need not be settled any more: what reads
// them has failed, and another reading takes its place. Call it when nothing upstream is left of
// these readings. Rows of theirs that were handed on stay with whoever keeps them, and a page that
// is settled later counts as settled.
func (b *Budget) GiveUp(readings []*Origin) {
	if len(readings) == 0 {
		return
	}
	o := &b.owing
	o.mu.Lock()
	defer o.mu.Unlock()
	for r := o.first; r != nil; {
		next := r.after
		if slices.Contains(readings, r.at.Source) {
			o.unlink(r)
			r.givenUp = true
			o.givenUp++
		}
		r = next
	}
}

// GivenUp returns how many pages were given up and have not been settled since.
func (b *Budget) GivenUp() int64 {
	b.owing.mu.Lock()
	defer b.owing.mu.Unlock()
	return b.owing.givenUp
}

// Unsettled returns the first page that was delivered and is neither settled nor given up; false if
// there is none. Call it at the end of a run. The stage is the one that took the last hold on the
// page, if it has not given all of its holds back; else another stage that has not; else the
// source. Which holds are of which page is not noted, so it may also be another stage that has not
// given all back.
func (b *Budget) Unsettled() (page Unsettled, found bool) {
	b.owing.mu.Lock()
	defer b.owing.mu.Unlock()
	r := b.owing.first
	if r == nil {
		return page, false
	}
	page.Position = r.at
	page.Stage, page.Or = b.keepers(r)
	if page.Source == nil { // it was set behind the source, when the receipt was there
		page.Source = &Origin{Name: r.source, Several: b.several()}
	}
	return page, true
}

func (b *Budget) several() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.inputs) > 1
}

// keepers are the stages that have holds: that of the last hold on r first, if it has any.
func (b *Budget) keepers(r *Receipt) (likely string, others []string) {
	last := r.holder.Load()
	if last != nil && last.holds.Load() > 0 {
		likely = last.name
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, a := range b.accounts {
		switch {
		case a.holds.Load() == 0 || a.name == likely || slices.Contains(others, a.name):
		case likely == "":
			likely = a.name
		default:
			others = append(others, a.name)
		}
	}
	return cmp.Or(likely, r.source), others
}
