package operators

import "github.com/rxcql/rxcql/flow"

// How far its part has come, as a page says it, waits until the rows of that page and all rows that
// came before it have been delivered: rows of other parts too, since a page with rows of several
// parts may be among them. Calls end by themselves, so this does not wait for more pages.

// holdBack notes what a page without rows says, and reports whether the reader must be told.
// However many of these pages come during a slow call, one advance a part is kept for each page
// that waits.
func (f *concurrency[T, U]) holdBack(a flow.Advance) bool {
	if !a.Says() {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.newest != nil {
		f.newest.behind.Add(a)
		return false
	}
	f.told.Add(a)
	return f.announce()
}

// follow adds a page after those that have not been delivered. The caller holds mu.
func (f *concurrency[T, U]) follow(c *inputPage[U]) {
	f.pages[c] = struct{}{}
	if c.older = f.newest; c.older != nil {
		c.older.newer = c
	}
	f.newest = c
}

// gone notes that all of a page has been delivered, or is being delivered. What was to be said
// after it now waits for the page before it; if there is none, it may be told, and gone returns
// true. The caller holds mu.
func (f *concurrency[T, U]) gone(c *inputPage[U]) (told bool) {
	delete(f.pages, c)
	to := &f.told
	if c.older != nil {
		c.older.newer, to = c.newer, &c.older.behind
	}
	if c.newer != nil {
		c.newer.older = c.older
	} else {
		f.newest = c.older
	}
	for _, a := range c.behind.Take() {
		to.Add(a)
		told = c.older == nil
	}
	return told
}

// nextTold returns the next advance that may be told, as a page without rows. The caller holds mu.
func (f *concurrency[T, U]) nextTold() *flow.Page[U] {
	if len(f.tells) == 0 {
		f.tells = append(f.tells, f.told.Take()...)
	}
	if len(f.tells) == 0 {
		return nil
	}
	reservation := f.account.Reservation()
	reservation.Say(f.tells[0])
	f.tells = f.tells[1:]
	return &flow.Page[U]{Reservation: reservation}
}
