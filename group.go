package rxcql

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/rx"
)

// TaskGroup is a set of goroutines of one stage. The first error cancels the
// group's context, with itself as the cause; a panic becomes a StageError, and
// runtime.Goexit is an error too.
// Goroutines of stages that call functions of users are started nowhere else, so
// that Wait leaves nothing behind.
type TaskGroup struct {
	st     *Stage
	task   *flow.TaskGroup
	eg     *errgroup.Group
	cancel context.CancelCauseFunc
	exited atomic.Bool
}

// TaskGroup returns a group and the context that its goroutines must obey. The
// caller must call Wait.
func (s *Stage) TaskGroup(ctx context.Context) (*TaskGroup, context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	eg, ctx := errgroup.WithContext(ctx)
	return &TaskGroup{st: s, task: s.task.Group(), eg: eg, cancel: cancel}, ctx
}

// Go runs fn in a goroutine of the group.
func (g *TaskGroup) Go(fn func() error) {
	// The errgroup cancels: it notes the error first, so that the echo of the
	// cancel in another goroutine cannot come before it.
	g.task.Started()
	g.eg.Go(func() (err error) {
		returned := false
		defer func() {
			switch {
			case !returned:
				g.exited.Store(true)
				g.cancel(rx.ErrExited)
			case err == nil: // else it is counted until all have returned
				g.task.Ended()
			}
		}()
		err = g.st.Protect(fn)
		returned = true
		return err
	})
}

// Cancel cancels the group's context with a cause.
func (g *TaskGroup) Cancel(cause error) { g.cancel(cause) }

// Wait waits for all goroutines and returns the first error.
func (g *TaskGroup) Wait() error {
	g.task.Wait()
	err := g.eg.Wait()
	g.task.Waited()
	g.cancel(nil)
	if g.exited.Load() {
		return g.st.Fail(rx.ErrExited)
	}
	return err
}
