package flow

import (
	"context"
	"time"
)

// Input is a source's side of the budget.
type Input struct {
	budget      *Budget
	name        string
	unmetered   bool
	outstanding int   // reservations not released; those of kept rows are not counted
	flight      int64 // bytes of these reservations
	granted     int64 // bytes reserved since the start, as corrected
	lent        int   // when it was last lent a page, see Budget.lend
	waiting     int   // reservations that wait
	strays      int   // of these, with a context that belongs to no reading
	stopped     int   // readings of which one waits
	kept        int64 // bytes of reservations that wait to be refilled
	done        bool
	running     int                    // calls of the source's run function
	readings    []*reading             // these calls
	mayBegin    func(moving bool) bool // see Task.mayBegin; nil if not known
}

// input registers a source. All sources that can be known are registered before the run starts;
// each further one makes the credit of the others smaller.
func (b *Budget) input(name string, mayBegin func(moving bool) bool) *Input {
	b.mu.Lock()
	defer b.mu.Unlock()
	in := &Input{budget: b, name: name, mayBegin: mayBegin}
	b.inputs = append(b.inputs, in)
	return in
}

// credit returns what is kept for each input: its part of the budget, less what accounts expect to
// be charged with.
func (in *Input) credit() int64 {
	if in.unmetered {
		return 0
	}
	b := in.budget
	return (b.limit - min(b.expected, b.limit/2)) / int64(len(b.inputs))
}

// PageBytes returns the size of page that the input should ask for: DefaultPageBytes, or less if
// the budget is small, so that several pages fit.
func (in *Input) PageBytes() int64 {
	in.budget.mu.Lock()
	defer in.budget.mu.Unlock()
	return in.pageBytes()
}

// Limit returns the budget of the run, which all its inputs share.
func (in *Input) Limit() int64 { return in.budget.limit }

// Part returns the input's part of the budget: as much as every other input has. What a source
// keeps of rows that it has not handed on yet should be a fraction of it.
func (in *Input) Part() int64 {
	in.budget.mu.Lock()
	defer in.budget.mu.Unlock()
	return in.budget.limit / int64(len(in.budget.inputs))
}

func (in *Input) pageBytes() int64 { return max(1, min(DefaultPageBytes, in.credit()/4)) }

// share returns the part of the budget kept for the input. Reserve asks for no more than that.
func (in *Input) share() int64 { return min(in.credit(), 2*in.pageBytes()) }

// Reserve waits for room for a page of about so many bytes, and returns its reservation. An
// estimate above the input's share of the budget is cut to that share, so that one page can always
// be read. Errors: BudgetHeldError, or the cause of ctx.
func (in *Input) Reserve(ctx context.Context, estimate int64) (*Reservation, error) {
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	b := in.budget
	b.mu.Lock()
	in.done = false // a stream may be read twice in one run, one reading after the other
	bytes := max(1, min(estimate, in.share()))
	reading := in.reading(ctx)
	if b.fits(in, reading, bytes) {
		b.open(in, reading, bytes)
		b.mu.Unlock()
		return b.reserved(in, reading, bytes), nil
	}
	w := &waiter{in: in, reading: reading, bytes: bytes}
	if err := b.await(ctx, w); err != nil {
		return nil, err
	}
	return b.reserved(in, w.reading, w.bytes), nil
}

// await waits until w is granted. The caller holds the mutex, which is given back meanwhile and not
// taken again.
func (b *Budget) await(ctx context.Context, w *waiter) error {
	w.granted, w.ended = make(chan error, 1), ctx.Err
	asked := w.bytes
	b.waiters = append(b.waiters, w)
	w.in.waits(1, w.reading)
	b.wake()
	b.mu.Unlock()
	if b.onWait == nil {
		return b.wait(ctx, w)
	}
	start, told := time.Now(), false
	err := b.wait(ctx, w)
	defer func() {
		if !told && err == nil { // a hook has ended the goroutine: nobody gets the room
			b.mu.Lock()
			defer b.mu.Unlock()
			b.unclaimed(w)
		}
	}()
	b.onWait(ctx, w.in.name, asked, time.Since(start), err)
	told = true
	return err
}

// unclaimed gives the room back that w was granted, unless it is in a reservation now.
func (b *Budget) unclaimed(w *waiter) {
	if w.keeps == nil {
		b.giveBack(w.in, w.reading, w.bytes)
	}
}

func (b *Budget) wait(ctx context.Context, w *waiter) error {
	select {
	case err := <-w.granted:
		if err != nil && ctx.Err() != nil { // the cancel may be why others release nothing
			return context.Cause(ctx)
		}
		return err
	case <-ctx.Done():
		b.mu.Lock()
		defer b.mu.Unlock()
		select {
		case err := <-w.granted: // granted meanwhile
			if err == nil {
				b.unclaimed(w)
			}
		default:
			b.forget(w)
		}
		return context.Cause(ctx)
	}
}

// Unmetered says that the input's rows come in without a reservation, as those of a foreign
// Observable do. The input then needs no credit.
func (in *Input) Unmetered() {
	in.budget.mu.Lock()
	defer in.budget.mu.Unlock()
	in.unmetered = true
}

// Done says that the source will reserve nothing more. Then others may use its credit, unless the
// stream may be read again. A source that does not call it is done when it returns.
func (in *Input) Done() {
	in.budget.mu.Lock()
	defer in.budget.mu.Unlock()
	in.done = in.running <= 1
	in.budget.wake()
}
