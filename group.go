package rxcql

import (
	"context"
	"errors"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// Group is a set of goroutines of one stage. The first error cancels the
// group's context, with itself as the cause; a panic becomes a StageError, and
// runtime.Goexit is an error too.
// Goroutines of stages that call functions of users are started nowhere else, so
// that Wait leaves nothing behind.
type Group struct {
	st     *Stage
	eg     *errgroup.Group
	cancel context.CancelCauseFunc
	exited atomic.Bool

	running int // goroutines, see ended; under the budget's mutex, like
	waiting int // calls of Wait, while there are any
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
	// The errgroup cancels: it notes the error first, so that the echo of the
	// cancel in another goroutine cannot come before it.
	g.started()
	g.eg.Go(func() (err error) {
		returned := false
		defer func() {
			if !returned {
				g.exited.Store(true)
				g.cancel(errExited)
			}
			if err == nil {
				g.ended()
			}
		}()
		err = g.st.Protect(fn)
		returned = true
		return err
	})
}

// Cancel cancels the group's context with a cause.
func (g *Group) Cancel(cause error) { g.cancel(cause) }

// Wait waits for all goroutines and returns the first error.
func (g *Group) Wait() error {
	g.wait()
	err := g.eg.Wait()
	g.waited()
	g.cancel(nil)
	if g.exited.Load() {
		return g.st.Fail(errExited)
	}
	return err
}

// started counts a goroutine among the threads of the stage.
func (g *Group) started() {
	b := g.st.run.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	g.running++
	g.st.threads.group++
}

// ended counts it out. Who waits for the last is then a thread again, at once: it goes on.
// A goroutine that failed stays until Wait returns, since the group is about to be
// cancelled: nobody shall be told in between that nothing moves.
func (g *Group) ended() {
	b := g.st.run.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	g.less(1)
	b.look()
}

func (g *Group) less(n int) {
	g.running -= n
	g.st.threads.group -= n
	if g.running == 0 {
		g.st.threads.group += g.waiting
		g.waiting = 0
	}
}

// wait notes that a thread of the stage waits for the group and does nothing else.
func (g *Group) wait() {
	b := g.st.run.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	if g.running > 0 {
		g.waiting++
		g.st.threads.group--
		b.look()
	}
}

// waited notes that all goroutines have returned.
func (g *Group) waited() {
	b := g.st.run.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	g.less(g.running)
	b.look()
}

// errExited: a goroutine that did not come to its end has not done its work.
var errExited = errors.New("runtime.Goexit was called in a user function")
