package flow

import (
	"container/heap"
	"errors"
	"fmt"
	"slices"
)

// heldPage is a page that a Frontier holds.
type heldPage struct {
	until    Watermark
	receipts []*Receipt
	bytes    int64
	open     int // receipts of pages that have not been taken in as a whole
}

// heldPages is a heap, with the page on top that is let go of first.
type heldPages []*heldPage

func (h heldPages) Len() int           { return len(h) }
func (h heldPages) Less(i, j int) bool { return h[i].until.Before(h[j].until) }
func (h heldPages) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *heldPages) Push(x any)        { *h = append(*h, x.(*heldPage)) } //nolint:forcetypeassert // of this file alone
func (h *heldPages) Pop() any {
	all := *h
	last := all[len(all)-1]
	all[len(all)-1] = nil
	*h = all[:len(all)-1]
	return last
}

func (h *heldPages) push(p *heldPage) { heap.Push(h, p) }

// upTo takes the pages that are held until then, or until an earlier time.
func (h *heldPages) upTo(w Watermark) (free []*heldPage) {
	for len(*h) > 0 && !w.Before((*h)[0].until) {
		free = append(free, heap.Pop(h).(*heldPage)) //nolint:forcetypeassert // of this file alone
	}
	return free
}

// holdsAlready reports whether the page is the one that was held last, and at least as long.
func (f *Frontier) holdsAlready(res *Reservation, until Watermark) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.last != nil && slices.Equal(f.last.receipts, res.receipts) && !f.last.until.Before(until)
}

// took notes that one of the pages of h has been taken in as a whole.
func (f *Frontier) took(h *heldPage) {
	f.mu.Lock()
	h.open--
	for len(f.partly) > 0 && f.partly[0].open == 0 {
		f.partly[0] = nil
		f.partly = f.partly[1:]
		f.wholly++
	}
	f.mu.Unlock()
	f.Advance()
}

// Advance moves the frontier as far as it can go, and settles what is held no longer. The engine
// calls it when CaughtUp has become true.
//
// A closing waits for the ones before it; for the pages that came before it to be taken in as a
// whole, since their read position may not be saved before that; and for CaughtUp, since the read
// positions that are saved until then go with the frontier that was restored. When the stream has
// ended there is no more to catch up with: a source that the run before has read is then not read
// at all. Then all closings go at once.
func (f *Frontier) Advance() {
	caughtUp := f.CaughtUp()
	f.mu.Lock()
	moves := caughtUp || f.ended()
	for moves && len(f.closings) > 0 {
		c := f.closings[0]
		if !f.isDurable(c) {
			break
		}
		f.apply(c)
		f.closings[0] = nil
		f.closings = f.closings[1:]
	}
	free := f.held.upTo(f.durable)
	for _, h := range free {
		f.pages -= int64(len(h.receipts))
		f.bytes -= h.bytes
		if f.last == h {
			f.last = nil
		}
	}
	full := f.fullOfSessions()
	f.mu.Unlock()
	if full != nil && f.c.Fail != nil {
		f.c.Fail(full)
		return
	}
	for _, h := range free { // after the frontier has moved, see job.state
		f.c.Account.holds.Add(-int64(len(h.receipts)))
		for _, r := range h.receipts {
			r.Settle()
		}
	}
}

// isDurable reports whether a closing waits for nothing but the ones before it. The caller holds
// mu.
func (f *Frontier) isDurable(c *closing) bool { return c.settled && c.after <= f.wholly }

// ended reports whether the stream has ended, and all that was given is durable. The caller holds
// mu.
func (f *Frontier) ended() bool {
	return f.given == Forever && !slices.ContainsFunc(f.closings, func(c *closing) bool { return !f.isDurable(c) })
}

// apply moves the frontier over a closing. The caller holds mu.
func (f *Frontier) apply(c *closing) {
	if f.durable.Before(c.upTo) {
		f.durable = c.upTo
	}
	if f.durable != Forever && f.finite.Before(f.durable) {
		f.finite = f.durable
	}
	for _, e := range c.ends {
		if f.durable.Before(e.End) && f.ends[e.Key].Before(e.End) {
			f.ends[e.Key] = e.End
		}
	}
	if len(f.ends) > 2*f.kept+64 {
		f.forget(f.durable)
		f.kept = len(f.ends)
	}
}

// forget drops the ends of sessions that are behind the frontier. The caller holds mu.
func (f *Frontier) forget(upTo Watermark) {
	for key, end := range f.ends {
		if !upTo.Before(end) {
			delete(f.ends, key)
		}
	}
}

// ErrFrontierFull: windows of a job keep more than a checkpoint may have.
var ErrFrontierFull = errors.New("rxcql: windows of a job keep too much")

// FrontierFullError says that a stage with windows keeps more than a checkpoint may have: pages
// that are read again if the run ends now, or keys that the end of a session must be saved of.
type FrontierFullError struct {
	Stage              string
	Pages, MaxPages    int64 // held; 0 for no bound
	Bytes, MaxBytes    int64 // column bytes of these
	Sessions           int   // keys with the end of a session that is not behind the others
	MaxSessions        int
	Restored, Frontier Watermark // where the run began, and where it is now
}

func (e *FrontierFullError) Error() string {
	if e.MaxSessions > 0 && e.Sessions > e.MaxSessions {
		return fmt.Sprintf("%v: a checkpoint would have the ends of sessions of %d keys, and may have %d, so stage %s cannot be resumed: "+
			"those that ended in the last gap before event time, or after the beginning of the oldest open one; windows are durable up to %v; "+
			"give CheckpointSessions more, or a shorter gap",
			ErrFrontierFull, e.Sessions, e.MaxSessions, e.Stage, e.Frontier)
	}
	return fmt.Sprintf("%v: stage %s holds %d pages (%d bytes), and may hold %d pages and %d bytes (0: any): "+
		"windows are durable up to %v, and a run that goes on reads all from there again; "+
		"give CheckpointHeldPages or CheckpointHeldBytes more, make windows shorter or lateness less, "+
		"or look for a part of the source whose event time does not move",
		ErrFrontierFull, e.Stage, e.Pages, e.Bytes, e.MaxPages, e.MaxBytes, e.Frontier)
}

// Is makes errors.Is(err, ErrFrontierFull) hold.
func (e *FrontierFullError) Is(target error) bool { return target == ErrFrontierFull }

// full returns an error if too many pages are held. The caller holds mu.
func (f *Frontier) full() error {
	if (f.c.MaxPages == 0 || f.pages <= f.c.MaxPages) && (f.c.MaxBytes == 0 || f.bytes <= f.c.MaxBytes) {
		return nil
	}
	return f.fullError()
}

// fullOfSessions returns an error if there are too many ends of sessions. The caller holds mu.
func (f *Frontier) fullOfSessions() error {
	if f.c.MaxSessions == 0 || len(f.ends) <= f.c.MaxSessions {
		return nil
	}
	if f.forget(f.durable); len(f.ends) <= f.c.MaxSessions {
		return nil
	}
	return f.fullError()
}

func (f *Frontier) fullError() error {
	return &FrontierFullError{
		Stage: f.c.Stage, Pages: f.pages, MaxPages: f.c.MaxPages, Bytes: f.bytes, MaxBytes: f.c.MaxBytes,
		Sessions: len(f.ends), MaxSessions: f.c.MaxSessions, Restored: f.c.Restored, Frontier: f.durable,
	}
}
