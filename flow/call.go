package flow

import (
	"context"
	"slices"
)

// call is one call of a stage's run function, or an inlet that a stage subscribes by. The calls of
// a run are trees: each knows the one that subscribed. So it is known which rows come through which
// inlet, also where a run reads a stage several times.
type call struct {
	budget *Budget
	up     *call  // that subscribed; nil if not known, or if it was the run itself or a sink
	task   *Task  // nil for an inlet
	inlet  *Inlet // nil for a stage

	// Under the budget's mutex, as Task has them for all calls.
	group  int // goroutines of its groups, less those that wait for one
	inside int // subscriptions that it has made and that have not ended
}

type callKey struct{}

// callOf returns the call that a context belongs to; nil if it belongs to none of the budget's. A
// function of a user may read a stream of its own with the context of a run.
func (b *Budget) callOf(ctx context.Context) *call {
	c, _ := ctx.Value(callKey{}).(*call)
	if c == nil || c.budget != b {
		return nil
	}
	return c
}

// by returns the call of the stage that subscribed; nil if not known.
func (c *call) by() *call {
	up := c.up
	for up != nil && up.inlet != nil {
		up = up.up
	}
	return up
}

// blocked reports whether nothing that comes from the call goes on before rows of another input
// have come: because of an inlet between it and the end of the stream. The caller holds the
// budget's mutex.
func (c *call) blocked() bool {
	for ; c != nil; c = c.up {
		if c.inlet != nil && c.inlet.waits && c.inlet.of.starved {
			return true
		}
	}
	return false
}

// blocked reports whether the reading is blocked. One that has failed is not: it is about to end
// the run. The caller holds the budget's mutex.
func (r *reading) blocked() bool { return !r.failed && r.call.blocked() }

// place finds out in which call of its stage the account is used, from a page that it keeps rows
// of. That matters only where a stage reads in step.
func (a *Account) place(from *Reservation) {
	if a.budget.inStep.Load() && !a.placed() {
		a.placeAbove(from.call())
	}
}

// placed reports whether it is known in which call the account is used, or whether it does not
// matter since the account is of no stage.
func (a *Account) placed() bool { return a.task == nil || a.call.Load() != nil }

// placeAbove looks for the call of the account's stage from c on, towards the end of the stream.
func (a *Account) placeAbove(c *call) {
	for ; c != nil; c = c.up {
		if c.task == a.task {
			a.call.Store(c)
			return
		}
	}
}

// UsedIn says in which call of its stage's run function the account is used: that of the context,
// or one that the context's has been subscribed to by. Otherwise that is known from the first page
// of which rows are kept. It is for accounts whose pages may have no rows. Tell calls it.
func (a *Account) UsedIn(ctx context.Context) {
	if !a.placed() {
		a.placeAbove(a.budget.callOf(ctx))
	}
}

// call returns the call that the reservation's rows come from; nil if not known.
func (res *Reservation) call() *call {
	switch {
	case res.reading != nil:
		return res.reading.call
	case res.holder != nil:
		return res.holder.call.Load()
	}
	return nil
}

// blocked reports whether rows that are charged to the account are blocked. If its call is not
// known, all calls of its stage must be. The caller holds the budget's mutex.
func (a *Account) blocked() bool {
	if c := a.call.Load(); c != nil {
		return c.blocked()
	}
	if a.task == nil || len(a.task.calls) == 0 {
		return false
	}
	return !slices.ContainsFunc(a.task.calls, func(c *call) bool { return !c.blocked() })
}
