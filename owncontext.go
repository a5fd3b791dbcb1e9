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
	if outer, _ := given.Value(retryKey{}).(checking); !outer.inRun {
		return context.WithCancelCause(given)
	}
	return withEndOf(given, given, ownCause)
}

// ownCause returns the cause of a run's context, from that of the context which the caller has
// given.
func ownCause(cause error) error {
	if !flow.IsEnd(cause) {
		return cause
	}
	return otherEnd(cause, "the stream of the run in which this one was begun has ended on purpose ("+textOf(cause)+")")
}

// withEndOf returns a context with the values of one that ends as another one does, a moment later,
// but by a cause that is made of that one's.
func withEndOf(values, given context.Context, cause func(error) error) (context.Context, context.CancelCauseFunc) {
	holder, end := context.WithCancelCause(context.WithoutCancel(values))
	return context.WithCancelCause(&contextWithin{holder, given, func() { end(cause(context.Cause(given))) }})
}

// contextWithin is what withEndOf makes its context of. Package context asks the Context in it for
// values, and for the cause.
type contextWithin struct {
	context.Context
	given context.Context //nolint:containedctx // by which it ends
	ended func()
}

func (c *contextWithin) Deadline() (time.Time, bool) { return c.given.Deadline() }
func (c *contextWithin) Done() <-chan struct{}       { return c.given.Done() }

// Err sets the cause, for which package context asks next.
func (c *contextWithin) Err() error {
	err := c.given.Err()
	if err != nil {
		c.ended()
	}
	return err
}

// AfterFunc is for package context, which calls it for each context that is made of this one.
func (c *contextWithin) AfterFunc(f func()) (stop func() bool) {
	return context.AfterFunc(c.given, f)
}
