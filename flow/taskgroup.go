package flow

import "context"

// TaskGroup is a group of goroutines of a stage, as the budget sees it. One more goroutine may wait
// for all of them.
type TaskGroup struct {
	task    *Task
	call    *call // of the stage; nil if not known
	running int   // goroutines; under the budget's mutex, like
	waiting int   // those that wait for them, while there are any
}

// Group registers a group of goroutines of the stage, in the call that ctx belongs to.
func (t *Task) Group(ctx context.Context) *TaskGroup {
	g := &TaskGroup{task: t}
	if c := t.budget.callOf(ctx); c != nil && c.task == t {
		g.call = c
	}
	return g
}

// counts counts goroutines of the group in or out. The caller holds the budget's mutex.
func (g *TaskGroup) counts(n int) {
	g.task.group += n
	if g.call != nil {
		g.call.group += n
	}
}

// Started counts a goroutine among those of the stage.
func (g *TaskGroup) Started() {
	g.task.budget.mu.Lock()
	defer g.task.budget.mu.Unlock()
	g.running++
	g.counts(1)
}

// Ended counts a goroutine out. After the last one, the goroutine that waits for the group counts
// as at work again at once. Do not call it for a goroutine that failed: that stays counted until
// Waited, since the group is about to be cancelled, and nobody must be told meanwhile that nothing
// moves.
func (g *TaskGroup) Ended() {
	g.task.budget.mu.Lock()
	defer g.task.budget.mu.Unlock()
	g.less(1)
}

// Wait notes that a goroutine of the stage waits for the group and does nothing else.
func (g *TaskGroup) Wait() {
	g.task.budget.mu.Lock()
	defer g.task.budget.mu.Unlock()
	if g.running > 0 {
		g.waiting++
		g.counts(-1)
		g.task.budget.look()
	}
}

// Waited notes that all goroutines of the group have returned.
func (g *TaskGroup) Waited() {
	g.task.budget.mu.Lock()
	defer g.task.budget.mu.Unlock()
	g.less(g.running)
}

// less counts n goroutines out. The caller holds the budget's mutex.
func (g *TaskGroup) less(n int) {
	g.running -= n
	g.counts(-n)
	if g.running == 0 {
		g.counts(g.waiting)
		g.waiting = 0
	}
	g.task.budget.look()
}
