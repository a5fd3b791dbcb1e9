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
	f.mayTell(a)
	return f.announce()
}

// mayTell notes what nothing holds back any more. Until it has been delivered it counts as moving,
// since downstream may then release what it holds because of it. The caller holds mu.
func (f *concurrency[T, U]) mayTell(a flow.Advance) {
	if f.telling == nil {
		f.telling = f.account.Reservation()
		f.telling.Emit()
	}
	f.told.Add(a)
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
	if c.older != nil {
		c.older.newer = c.newer
	}
	if c.newer != nil {
		c.newer.older = c.older
	} else {
		f.newest = c.older
	}
	for _, a := range c.behind.Take() {
		if c.older != nil {
			c.older.behind.Add(a)
		} else {
			f.mayTell(a)
			told = true
		}
	}
	return told
}

// nextTold returns the next advance that may be told, as a page without rows. The caller holds mu.
func (f *concurrency[T, U]) nextTold() *flow.Page[U] {
	if len(f.tells) == 0 {
		f.tells = append(f.tells, f.told.Take()...)
	}
	if len(f.tells) == 0 {
		f.endTelling()
		return nil
	}
	reservation := f.account.Reservation()
	reservation.Say(f.tells[0])
	f.tells = f.tells[1:]
	return &flow.Page[U]{Reservation: reservation}
}

// endTelling notes that all that might be told has been, or that nobody is told any more.
// Under mu, or when nothing else is at work.
func (f *concurrency[T, U]) endTelling() {
	if f.telling != nil {
		f.telling.Settle()
		f.telling = nil
	}
}
