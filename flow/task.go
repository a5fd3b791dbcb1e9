package flow

import (
	"context"
	"slices"
)

// Task is a stage at work in a run, as the budget sees it: its goroutines, as far as the engine
// knows them. These are the one that its run function was called in, and those of its groups. They
// decide whether an input that has not begun may yet begin: only the stage that reads it can begin
// it, in a goroutine that is not reading another input.
//
// All fields are under the budget's mutex. What passes from one task to another passes in one step:
// a goroutine that enters a stage, or comes back, is counted in at least one task at every time. A
// search for goroutines goes from the source up, so it misses none on the way.
type Task struct {
	budget  *Budget
	input   *Input  // of a source
	readers []*link // the stages that read it

	active int  // calls of its run function
	group  int  // goroutines of its groups, less those that wait for one
	inside int  // subscriptions that it has made and that have not ended
	begun  bool // whether its run function has ever been called
	calls  []*call
	asked  int // the last question that it answered, see mayBeginFor

	past bool // see Past
}

// link is a stage that reads another.
type link struct {
	by    *Task
	given int // how often it has the other among its inputs
	now   int // its subscriptions to the other that have not ended
}

// open reports whether the stage may read the other, in, in one more goroutine. With moving set,
// calls of it that are blocked (InStep) do not count: their goroutines go nowhere.
func (l *link) open(in *Task, moving bool) bool {
	calls, goroutines, inside, now := l.by.active, l.by.group, l.by.inside, l.now
	if moving && l.by.budget.starving > 0 {
		for _, c := range l.by.calls {
			if c.blocked() {
				calls--
				goroutines -= c.group
				inside -= c.inside
			}
		}
		for _, c := range in.calls {
			if by := c.by(); by != nil && by.task == l.by && by.blocked() {
				now--
			}
		}
	}
	return calls+goroutines > inside && now < l.given*calls
}

// Task registers a stage and those that it reads. All stages that can be known are registered
// before the run starts.
func (b *Budget) Task(reads ...*Task) *Task {
	t := &Task{budget: b}
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, in := range reads {
		in.readBy(t)
	}
	return t
}

// Source registers a source, under its name in the run.
func (b *Budget) Source(name string, reads ...*Task) *Task {
	t := b.Task(reads...)
	t.input = b.input(name, t.mayBegin)
	return t
}

// Past says that rows which the stage keeps come to no stage with a Frontier any more. Call it
// before the stage opens accounts.
func (t *Task) Past() {
	t.budget.mu.Lock()
	defer t.budget.mu.Unlock()
	t.past = true
}

// Input returns a source's side of the budget; nil for other stages.
func (t *Task) Input() *Input { return t.input }

// Enter notes a call of the run function, by reader unless that is nil. It returns the context of
// the call, and a function that notes the end of the call. Pages of a source that are read with
// that context come from origin.
func (t *Task) Enter(ctx context.Context, reader *Task, origin *Origin) (_ context.Context, leave func()) {
	c := &call{budget: t.budget, up: t.budget.callOf(ctx), task: t}
	ctx = context.WithValue(ctx, callKey{}, c)
	var r *reading
	if t.input != nil {
		ctx, r = t.input.read(ctx, origin, c)
	}
	t.budget.mu.Lock()
	defer t.budget.mu.Unlock()
	from := t.linkOf(reader)
	t.calls = append(t.calls, c)
	t.count(1, reader, from, c, r)
	return ctx, func() {
		t.budget.mu.Lock()
		defer t.budget.mu.Unlock()
		t.calls = slices.DeleteFunc(t.calls, func(each *call) bool { return each == c })
		t.count(-1, reader, from, c, r)
	}
}

// count counts a call of the run function in (1) or out (-1). r is the reading that the call is;
// nil if the stage is no source. The caller holds the budget's mutex.
func (t *Task) count(n int, reader *Task, from *link, c *call, r *reading) {
	t.active += n
	t.begun = true
	from.now += n
	if reader != nil {
		reader.inside += n
		if by := c.by(); by != nil && by.task == reader {
			by.inside += n
		}
	}
	if t.input != nil {
		t.input.runs(n, r)
	}
	t.budget.look()
}

// linkOf returns the link to a reader. A reader that has not been registered as such becomes known,
// except a sink, which reads once.
func (t *Task) linkOf(reader *Task) *link {
	for _, l := range t.readers {
		if l.by == reader {
			return l
		}
	}
	l := &link{by: reader, given: 1}
	if reader != nil && reader.active > 0 {
		t.readers = append(t.readers, l)
	}
	return l
}

// readBy notes that the stage is an input of another, once or once more.
func (t *Task) readBy(reader *Task) {
	for _, l := range t.readers {
		if l.by == reader {
			l.given++
			return
		}
	}
	t.readers = append(t.readers, &link{by: reader, given: 1})
}

// mayBegin reports whether someone may yet subscribe to the stage, for the first time or again: a
// stage that reads it and has a goroutine for that, or one that may itself begin, or begin again.
// With moving set, only what is not blocked counts (InStep). The caller holds the budget's mutex.
func (t *Task) mayBegin(moving bool) bool {
	t.budget.asked++
	return t.mayBeginFor(t.budget.asked, moving)
}

// mayBeginFor is mayBegin for a numbered question, so that no task answers the same question twice.
func (t *Task) mayBeginFor(question int, moving bool) bool {
	if t.asked == question {
		return false
	}
	t.asked = question
	if len(t.readers) == 0 {
		return !t.begun // the run itself, or a sink: they read once
	}
	for _, l := range t.readers {
		if l.open(t, moving) || l.by.mayBeginFor(question, moving) {
			return true
		}
	}
	return false
}
