package rxcql

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// Group is a set of goroutines of one stage. The first error cancels the
// group's context, with itself as the cause; a panic becomes a StageError.
// Goroutines of a run are started nowhere else, so that Wait leaves nothing
// behind.
type Group struct {
	st     *Stage
	eg     *errgroup.Group
	cancel context.CancelCauseFunc
}

// Group returns a group and the context that its goroutines must obey. The
// caller must call Wait.
func (s *Stage) Group(ctx context.Context) (*Group, context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	eg, ctx := errgroup.WithContext(ctx)
	return &Group{st: s, eg: eg, cancel: cancel}, ctx
}

// Go runs fn in a goroutine of the group.
func (g *Group) Go(fn func() error) {
	g.eg.Go(func() error {
		err := g.st.Protect(fn)
		if err != nil {
			g.cancel(err)
		}
		return err
	})
}

// Cancel cancels the group's context with a cause.
func (g *Group) Cancel(cause error) { g.cancel(cause) }

// Wait waits for all goroutines and returns the first error.
func (g *Group) Wait() error {
	err := g.eg.Wait()
	g.cancel(nil)
	return err
}
