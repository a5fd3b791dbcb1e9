package flow

import (
	"context"
	"slices"
	"time"
)

// reading is one call of a source's run function. The context of the call knows it.
type reading struct {
	of          *Input
	origin      *Origin
	call        *call
	outstanding int   // reservations not released, as Input has them for all readings
	flight      int64 // bytes of these
	kept        int64 // of these, in reservations that wait to be refilled
	fetching    int   // of the reservations, those whose page has not arrived
	coming      int64 // what these pages are estimated at, part of flight
	waiting     int   // reservations that wait
	failed      bool  // one of its pages has failed: the call is about to return, see Reservation.Finish
}

type readingKey struct{}

// read returns the reading that a call of the source's run function is, and the context for it.
func (in *Input) read(ctx context.Context, origin *Origin, c *call) (context.Context, *reading) {
	r := &reading{of: in, origin: origin, call: c}
	return context.WithValue(ctx, readingKey{}, r), r
}

// reading returns the reading that a context belongs to; nil if it belongs to none.
func (in *Input) reading(ctx context.Context) *reading {
	if r, ok := ctx.Value(readingKey{}).(*reading); ok && r.of == in {
		return r
	}
	return nil
}

// SetParts says of the reading of the source that a context belongs to how many parts it has. With
// another context it does nothing. Sources call rxcql.Stage.Parts.
func (in *Input) SetParts(ctx context.Context, p Parts) {
	if r := in.reading(ctx); r != nil && r.origin != nil {
		r.origin.SetParts(p)
	}
}

// runs counts a call of the source's run function in (1) or out (-1). When the last has ended, the
// source reserves nothing more, whether it has called Done or not. The caller holds the budget's
// mutex.
func (in *Input) runs(n int, r *reading) {
	if n > 0 {
		in.readings = append(in.readings, r)
	} else {
		in.readings = slices.DeleteFunc(in.readings, func(each *reading) bool { return each == r })
	}
	in.running += n
	in.done = in.running == 0 // a stream may be read twice in one run, one after the other
}

// waits counts a reservation that waits in (1) or out (-1). A reading waits if one of its
// reservations does, even if the source has several workers, since these hand their rows on in
// turn. The caller holds the budget's mutex.
func (in *Input) waits(n int, r *reading) {
	in.waiting += n
	if n < 0 {
		in.budget.waited = time.Now() // in the same step: see WaitedUntil
	}
	if r == nil {
		in.strays += n
		return
	}
	before := r.waiting
	if r.waiting += n; !r.failed && (before == 0 || r.waiting == 0) {
		in.stopped += n
	}
}

// fail notes that a page of the reading has failed. The reading no longer counts as waiting, even
// if one of its reservations waits: these are about to be cancelled. The caller holds the budget's
// mutex.
func (r *reading) fail() {
	if r.waiting > 0 && !r.failed {
		r.of.stopped--
	}
	r.failed = true
}

// carries counts pages of a reading in or out, and their bytes. The reading is nil if it is not
// known. The caller holds the budget's mutex.
func (in *Input) carries(r *reading, pages int, bytes int64) {
	in.outstanding += pages
	in.flight += bytes
	if r != nil {
		r.outstanding += pages
		r.flight += bytes
	}
}

// blocked returns the pages of readings that are blocked, and their bytes, as one that is not
// blocked sees them. The caller holds the budget's mutex.
func (in *Input) blocked(by *reading) (pages int, bytes int64) {
	if in.budget.starving == 0 || by != nil && by.blocked() {
		return 0, 0
	}
	for _, r := range in.readings {
		if r.blocked() {
			pages += r.outstanding
			bytes += r.flight
		}
	}
	return pages, bytes
}

// moves reports whether the input may still bring a page by itself, or come to its end: a page of
// it is on its way, or one of its readings does not wait for room, or has failed, or another may
// yet begin. A reservation that waits with a context that belongs to no reading may belong to any,
// and stops one of them. A reading that is blocked (InStep) brings nothing. The caller holds the
// budget's mutex.
func (in *Input) moves() bool {
	outstanding, running, stopped, strays := in.outstanding, in.running, in.stopped, in.strays
	if in.budget.starving > 0 {
		for _, r := range in.readings {
			if !r.blocked() {
				continue
			}
			outstanding -= r.outstanding
			running--
			if r.waiting > 0 {
				stopped--
			} else if strays > 0 { // which may be of this one
				strays--
			}
		}
	}
	switch {
	case outstanding > 0:
		return true
	case in.mayBegin == nil:
		return in.waiting == 0 && !in.done
	}
	return running > stopped+strays || in.mayBegin(true)
}

// spent reports whether the input no longer needs its credit: it is done, and its source cannot be
// read again. The caller holds the budget's mutex.
func (in *Input) spent() bool {
	return in.done && (in.mayBegin == nil || !in.mayBegin(false))
}
