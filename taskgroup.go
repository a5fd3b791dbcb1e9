package rxcql

import (
	"context"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/errgroup"

	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/rx"
)

// TaskGroup is a set of goroutines of one stage. The first error cancels the group's context and
// becomes its cause. A panic becomes a StageError, and runtime.Goexit is an error too. Stages call
// functions of users in no other goroutines, so when Wait returns nothing is left behind.
type TaskGroup struct {
	st     *Stage
	task   *flow.TaskGroup
	eg     *errgroup.Group
	cancel context.CancelCauseFunc
	exited atomic.Bool

	mu     sync.Mutex
	failed error // the FirstFailure of the goroutines that have returned
}

// TaskGroup returns a group, and the context that its goroutines must obey. You must call Wait.
func (s *Stage) TaskGroup(ctx context.Context) (*TaskGroup, context.Context) {
	ctx, cancel := context.WithCancelCause(ctx)
	eg, ctx := errgroup.WithContext(ctx)
	return &TaskGroup{st: s, task: s.task.Group(ctx), eg: eg, cancel: cancel}, ctx
}

// Go runs fn in a goroutine of the group.
func (g *TaskGroup) Go(fn func() error) {
	// The errgroup cancels, because it notes the error first: so another goroutine's echo of the
	// cancel cannot become the group's error.
	g.task.Started()
	g.eg.Go(func() (err error) {
		returned := false
		defer func() {
			switch {
			case err != nil: // it is counted until all have returned
				g.note(err)
			case returned:
				g.task.Ended()
			default:
				g.exited.Store(true)
				g.cancel(rx.ErrExited)
			}
		}()
		defer g.st.Recover(&err)
		err = g.st.run.ownError(fn())
		returned = true
		return err
	})
}

// Cancel cancels the group's context with a cause.
func (g *TaskGroup) Cancel(cause error) { g.cancel(g.st.run.ownError(cause)) }

func (g *TaskGroup) note(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.failed = FirstFailure(g.failed, err)
}

// Wait waits for all goroutines and returns their FirstFailure: one that has failed may return
// after another that has met the end of the stream, or a cancel.
func (g *TaskGroup) Wait() error {
	g.task.Wait()
	err := g.eg.Wait()
	g.task.Waited()
	g.cancel(nil)
	if g.exited.Load() {
		return g.st.Fail(rx.ErrExited)
	}
	return FirstFailure(err, g.failed)
}
