package flow

import "sync/atomic"

// A Task is a stage at work in a run, as the budget sees it: the goroutines that it has, as
// far as the engine knows them, which are the one that its run function was called in and
// those of its groups. They decide whether an input that has not begun may yet begin: only
// the stage that reads it can do that, in a goroutine that is not reading another.
type Task struct {
	budget  *Budget
	input   *Input
	readers []*Task // those that read it; under the budget's mutex

	active atomic.Int64 // calls of its run function
	group  atomic.Int64 // goroutines of its groups, less those that wait for one
	inside atomic.Int64 // subscriptions that it has made and that have not ended
	begun  atomic.Bool  // whether its run function has ever been called
}

// Task registers a stage and those that it reads. All that can be known are registered
// before the run starts.
func (b *Budget) Task(reads ...*Task) *Task {
	t := &Task{budget: b}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, in := range reads {
		in.readers = append(in.readers, t)
	}
	return t
}

// Source registers a source, under its name in the run.
func (b *Budget) Source(name string, reads ...*Task) *Task {
	t := b.Task(reads...)
	t.input = b.input(name, t.mayBegin)
	return t
}

// Input is a source's side of the budget; nil for other stages.
func (t *Task) Input() *Input { return t.input }

func (t *Task) free() bool { return t.active.Load()+t.group.Load() > t.inside.Load() }

// Enter notes that the run function is called, by reader unless that is nil, and
// returns what notes its end. It is the reader's thread that is free first: else nobody
// could begin the stage again for a moment, and what is kept for it would be given away.
func (t *Task) Enter(reader *Task) (leave func()) {
	t.active.Add(1)
	t.begun.Store(true)
	if t.input != nil {
		t.input.begin()
	}
	if reader != nil {
		reader.inside.Add(1)
		t.budget.look()
	}
	return func() {
		if reader != nil {
			reader.inside.Add(-1)
		}
		t.active.Add(-1)
		if t.input != nil {
			t.input.end()
		}
		t.budget.look()
	}
}

// Started notes a goroutine of a group of the stage, or that one has waited for a group.
func (t *Task) Started() { t.group.Add(1) }

// Stopped notes the end of a goroutine of a group, or that one waits for a group.
func (t *Task) Stopped() {
	t.group.Add(-1)
	t.budget.look()
}

// mayBegin reports whether someone may yet subscribe to a stage that is not at work,
// for the first time or again: a stage that reads it, or is itself read by one that
// may. Under the budget's mutex.
func (t *Task) mayBegin() bool {
	if len(t.readers) == 0 {
		return !t.begun.Load() // the run itself, or a sink: they read once
	}
	for _, reader := range t.readers {
		if reader.active.Load() > 0 {
			if reader.free() {
				return true
			}
			continue
		}
		if reader.mayBegin() {
			return true
		}
	}
	return false
}
