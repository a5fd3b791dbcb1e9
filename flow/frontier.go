package flow

import (
	"slices"
	"sync"
)

// Frontier is what the checkpoint of a job keeps for a stage with windows: every window that ends
// at or before the frontier is durable and will not change. It also gives back the pages that the
// stage has counted, when that has come so far. A stage gets one by rxcql.Stage.Frontier, before it
// subscribes to its input. It gets one in a run without a checkpoint too: there Restored is zero,
// and the rest works alike.
//
// All times are ends of windows. Where a window may be corrected until the watermark is lateness
// behind its end, upTo is the watermark less the lateness. The end of a pair of a row and a session
// is the row's time plus the gap; there upTo must be before the first such end of each session that
// stays open.
//
// The stage keeps these rules. For each page with rows that comes in:
//
//   - A pair of a row and one of its windows is counted if the window ends after the last upTo and
//     after Restored (or RestoredSession). Else, if Counted reports true of the page, an earlier
//     run has dealt with the pair: it is dropped, and is not late. Else it is late.
//   - If a pair was counted, Hold is called with the latest end of the windows that the page's rows
//     were counted in, before Receipt or Durable is called with what follows the page.
//   - Pages that carry late rows of the page elsewhere have the receipt of Late. It is not needed
//     for rows that have been dealt with when Next returns, such as those that a function of the
//     user's was given.
//
// When windows are complete the pages of their results get the receipt of Receipt; where there are
// none to give, Durable says how far that is. At the end of the stream one of them is called with
// Forever. If reading was stopped, Abandon is called instead, and if it has failed, GiveUp.
//
// No early and no corrected result is given before CaughtUp reports true: it would replace a whole
// one in the table by one of some rows.
//
// Receipts may be settled by any goroutine. The methods are for one goroutine at a time.
type Frontier struct {
	c FrontierConfig

	mu       sync.Mutex
	given    Watermark // the last upTo
	durable  Watermark // the frontier
	finite   Watermark // the greatest that is not forever: of restored, upTo and the ends of held pages
	closings []*closing
	ends     map[string]Watermark // see RestoredSession; some may be behind the frontier
	kept     int                  // ends that were left when those behind were dropped the last time
	held     heldPages
	pages    int64 // in held, and their bytes
	bytes    int64
	number   int64       // of all pages that were held
	wholly   int64       // of these, the first so many have been taken in as a whole
	partly   []*heldPage // the others
	last     *heldPage   // that was held
	givenUp  bool
}

// FrontierConfig is what the run says of a stage with a Frontier.
type FrontierConfig struct {
	Stage    string
	Account  *Account // of the stage; nothing else may use it
	Restored Watermark
	Ends     map[string]Watermark // of sessions, that are not behind Restored
	CaughtUp func() bool          // see Frontier.CaughtUp; it must not wait
	Fail     func(error)          // ends the run
	Left     func()               // pages are left unsettled on purpose

	// The bounds, 0 for none: pages that are held, their column bytes, and keys with the end of a
	// session.
	MaxPages, MaxBytes int64
	MaxSessions        int
}

// SessionEnd says that all sessions of a key that end at or before End are durable.
type SessionEnd struct {
	// Key is a hash of the key, the same in every process. It is saved, and a checkpoint holds no
	// values of rows.
	Key string
	End Watermark
}

// closing is windows that were given, until they and all before them are durable.
type closing struct {
	upTo    Watermark
	ends    []SessionEnd
	after   int64 // pages held before it
	settled bool
}

// NewFrontier is for the engine; a stage calls rxcql.Stage.Frontier.
func NewFrontier(c FrontierConfig) *Frontier {
	c.Account.past = true
	f := &Frontier{c: c, given: c.Restored, durable: c.Restored, finite: c.Restored, ends: map[string]Watermark{}}
	for key, end := range c.Ends {
		f.ends[key] = end
	}
	return f
}

// Counted reports whether an earlier run of the job has dealt with all rows of the page, as far as
// their windows end at or before Restored (RestoredSession): each is counted in a durable result,
// or was late and is durable as such. It reports false if any of the rows, or of the rows that
// these were made from, came after the read position that was saved with Restored.
//
// Rows are told apart by their number in their part, so that pages may have another size in each
// run. A source whose rows have other numbers when they are read again (rows were inserted before
// them) makes that inexact, unless it says itself which rows those are (Track.ReadByState).
func (f *Frontier) Counted(res *Reservation) bool { return res.Tracked() && !res.fresh }

// CaughtUp reports whether every part that an earlier run of the job has read rows of has been read
// up to there again. Before that the frontier does not move. It is true if nothing was saved, and
// stays true.
func (f *Frontier) CaughtUp() bool { return f.c.CaughtUp == nil || f.c.CaughtUp() }

// Hold keeps a page from being settled until every window that ends at or before until is durable.
// Pieces of a page (Position.From) are held one by one, and count as one page where they can. The
// error, a FrontierFullError, says that more pages are held than may be.
func (f *Frontier) Hold(res *Reservation, until Watermark) error {
	if len(res.receipts) == 0 || f.holdsAlready(res, until) {
		return nil
	}
	h := &heldPage{until: until, receipts: slices.Clone(res.receipts), open: 1}
	for _, r := range h.receipts {
		r.Hold()
		r.holder.Store(f.c.Account)
		if r.page != nil {
			h.bytes += r.page.bytes
		}
	}
	f.c.Account.holds.Add(int64(len(h.receipts)))
	f.mu.Lock()
	f.number++
	f.last = h
	if f.finite.Before(until) && until != Forever {
		f.finite = until
	}
	f.partly = append(f.partly, h)
	f.held.push(h)
	f.pages += int64(len(h.receipts))
	f.bytes += h.bytes
	for _, r := range h.receipts {
		if r.page != nil {
			h.open++
		}
	}
	full := f.full()
	f.mu.Unlock()
	for _, r := range h.receipts {
		if r.page != nil {
			r.page.onTaken(func() { f.took(h) })
		}
	}
	f.took(h)
	return full
}

// Receipt returns the receipt of the pages with the results of all windows that are complete and
// have not been given yet: those that end at or before upTo, and the sessions that ended says. No
// row may be counted in these any more. When this receipt and all that were returned before it are
// settled, the frontier is upTo.
//
// Add it to a reservation (Reservation.AddReceipt), and have the pages of results take from that.
// upTo never goes back: one that is earlier than the last counts as that.
func (f *Frontier) Receipt(upTo Watermark, ended ...SessionEnd) *Receipt {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.given.Before(upTo) {
		f.given = upTo
	}
	c := &closing{upTo: f.given, ends: slices.Clone(ended), after: f.number}
	f.closings = append(f.closings, c)
	return NewReceipt(func() {
		f.mu.Lock()
		c.settled = true
		f.mu.Unlock()
		f.Advance()
	})
}

// Durable says that nothing is left to give of windows that end at or before upTo. It is Receipt
// without results.
func (f *Frontier) Durable(upTo Watermark) { f.Receipt(upTo).Settle() }

// Late returns a receipt for pages that carry late rows of the page elsewhere. While it is not
// settled, the page is not settled and does not count as read.
func (f *Frontier) Late(res *Reservation) *Receipt {
	receipts := slices.Clone(res.receipts)
	for _, r := range receipts {
		r.Hold()
		r.holder.Store(f.c.Account)
		r.feed(1)
	}
	f.c.Account.holds.Add(int64(len(receipts)))
	return NewReceipt(func() {
		f.c.Account.holds.Add(-int64(len(receipts)))
		for _, r := range receipts {
			r.feed(-1)
			r.Settle()
		}
	})
}

// Abandon leaves the pages that are held unsettled, for a later run, and the run does not fail for
// that. A stage calls it in Done if reading was stopped (see Observer.Done).
func (f *Frontier) Abandon() {
	f.mu.Lock()
	left := len(f.held) > 0
	f.mu.Unlock()
	if left && f.c.Left != nil {
		f.c.Left()
	}
}

// GiveUp lets go of pages without settling them: all that are held for windows that were not given.
// These pages may be read again in this run (operators.Retry), and others take their place. A stage
// calls it when what it reads, or what follows, has failed. In a job nothing is read again before
// the next run, so there it does nothing.
func (f *Frontier) GiveUp() {
	if f.c.CaughtUp != nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.givenUp, f.last = true, nil
	held := f.held
	f.held = nil
	for _, h := range held {
		if !f.given.Before(h.until) { // their results are on the way
			f.held.push(h)
			continue
		}
		n := int64(len(h.receipts))
		f.pages -= n
		f.bytes -= h.bytes
		f.c.Account.holds.Add(-n)
	}
}

// Over reports whether nothing is held, and nothing will be: the stage has given all windows, or
// has called GiveUp.
func (f *Frontier) Over() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return (f.givenUp || f.given == Forever) && len(f.held) == 0
}

// Held returns how many pages are held now, and their column bytes as received: what a run that
// goes on from here reads again.
func (f *Frontier) Held() (pages, bytes int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.pages, f.bytes
}
