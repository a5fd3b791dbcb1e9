package rxcql

import (
	"context"
	"time"

	"github.com/rxcql/rxcql/flow"
)

// ownContext returns the context of a run, from that which the caller has given. The caller may be
// a function of another run, whose stream may end on purpose: then the context that the function
// was given has a flow.End as its cause. To this run that is a cancel like others: no stage of its
// own has ended the stream, so a page that is given up for it is not settled.
func ownContext(given context.Context) (context.Context, context.CancelCauseFunc) {
	if outer, _ := given.Value(retryKey{}).(checking); outer.run == nil {
		return context.WithCancelCause(given)
	}
	values, end := context.WithCancelCause(context.WithoutCancel(given))
	within := &contextWithin{Context: values, given: given, end: end}
	if given.Err() != nil {
		within.ended()
	}
	return context.WithCancelCause(within)
}

// contextWithin is a context that ends as another one does, but by a cause of its own. It has the
// values of Context, which are those of the other one, and whose cause package context asks for.
type contextWithin struct {
	context.Context
	given context.Context //nolint:containedctx // by which it ends
	end   context.CancelCauseFunc
}

func (c *contextWithin) Deadline() (time.Time, bool) { return c.given.Deadline() }
func (c *contextWithin) Done() <-chan struct{}       { return c.given.Done() }
func (c *contextWithin) Err() error                  { return c.given.Err() }

// AfterFunc is for package context, which calls it for each context that is made of this one.
func (c *contextWithin) AfterFunc(f func()) (stop func() bool) {
	return context.AfterFunc(c.given, func() {
		c.ended()
		f()
	})
}

func (c *contextWithin) ended() {
	cause := context.Cause(c.given)
	if flow.IsEnd(cause) {
		cause = otherEnd(cause, "the stream of the run in which this one was begun has ended on purpose ("+cause.Error()+")")
	}
	c.end(cause)
}
