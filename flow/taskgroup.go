package flow

// A TaskGroup is a group of goroutines of a stage, one of which may wait for all others, as
// the budget sees it.
type TaskGroup struct {
	task    *Task
	running int // goroutines; under the budget's mutex, like
	waiting int // those that wait for them, while there are any
}

// Group registers a group of goroutines of the stage.
func (t *Task) Group() *TaskGroup { return &TaskGroup{task: t} }

// Started counts a goroutine among those of the stage.
func (g *TaskGroup) Started() {
	g.task.budget.mu.Lock()
	defer g.task.budget.mu.Unlock()
	g.running++
	g.task.group++
}

// Ended counts it out. Who waits for the last is then at work again, at once: it goes on.
// It is not for a goroutine that failed, which stays until Waited, since the group is about
// to be cancelled: nobody shall be told in between that nothing moves.
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
		g.task.group--
		g.task.budget.look()
	}
}

// Waited notes that all goroutines of the group have returned.
func (g *TaskGroup) Waited() {
	g.task.budget.mu.Lock()
	defer g.task.budget.mu.Unlock()
	g.less(g.running)
}

// less counts goroutines out. Under the budget's mutex.
func (g *TaskGroup) less(n int) {
	g.running -= n
	g.task.group -= n
	if g.running == 0 {
		g.task.group += g.waiting
		g.waiting = 0
	}
	g.task.budget.look()
}
