package rxcql

import "sync/atomic"

// threads are the goroutines in which a stage is at work in a run, as far as the
// engine knows them: the one that its run function was called in, and those of its
// Groups. They decide whether an input that has not begun may yet begin: only
// the stage that reads it can do that, in a goroutine that is not reading another.
type threads struct {
	active atomic.Int64 // calls of its run function
	group  atomic.Int64 // goroutines of its Groups, less those that wait for one
	inside atomic.Int64 // calls of Stream.Subscribe that it has made
	begun  atomic.Bool  // whether its run function has ever been called
}

func (t *threads) free() bool { return t.active.Load()+t.group.Load() > t.inside.Load() }

// enter notes that the run function is called, by reader unless that is nil, and
// returns what notes its end. It is the reader's thread that is free first: else nobody
// could begin the stage again for a moment, and what is kept for it would be given away.
func (s *Stage) enter(reader *Stage) (leave func()) {
	s.threads.active.Add(1)
	s.threads.begun.Store(true)
	if s.input != nil {
		s.input.begin()
	}
	if reader != nil {
		reader.threads.inside.Add(1)
		s.run.budget.look()
	}
	return func() {
		if reader != nil {
			reader.threads.inside.Add(-1)
		}
		s.threads.active.Add(-1)
		if s.input != nil {
			s.input.end()
		}
		s.run.budget.look()
	}
}

// mayBegin reports whether someone may yet subscribe to a stage that is not at work,
// for the first time or again: a stage that reads it, or is itself read by one that
// may. Under the budget's mutex.
func (s *Stage) mayBegin() bool {
	if len(s.readers) == 0 {
		return !s.threads.begun.Load() // the run itself, or a sink: they read once
	}
	for _, reader := range s.readers {
		if reader.threads.active.Load() > 0 {
			if reader.threads.free() {
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

// open makes the stage of a node whose inputs have theirs. The caller holds r.mu, or
// is the only one who knows the run.
func (r *Run) open(n *node) *Stage {
	st := &Stage{run: r, node: n, name: numbered(r.order, n.info.Name)}
	if n.info.Source {
		st.input = r.budget.input(st.name)
		st.input.mayBegin = st.mayBegin
	}
	r.budget.mu.Lock()
	for _, in := range n.inputs {
		r.stages[in].readers = append(r.stages[in].readers, st)
	}
	r.budget.mu.Unlock()
	r.stages[n] = st
	r.order = append(r.order, st)
	return st
}

// begin notes that the input's source runs.
func (in *Input) begin() {
	in.budget.mu.Lock()
	defer in.budget.mu.Unlock()
	in.running++
	in.done = false // a stream that is read twice in one run, one after the other
}

// end notes that it has returned: it reserves nothing more, whether it has called
// Done or not.
func (in *Input) end() {
	in.budget.mu.Lock()
	defer in.budget.mu.Unlock()
	if in.running--; in.running == 0 {
		in.done = true
	}
}

// moves reports whether the input may still bring a page by itself: it has not ended, nor
// does it wait for room, nor for a beginning that nobody can make.
func (in *Input) moves() bool {
	switch {
	case in.outstanding > 0:
		return true
	case in.waiting > 0:
		return false
	case in.mayBegin == nil:
		return !in.done
	}
	return in.running > 0 || in.mayBegin()
}

// spent reports whether the input needs its credit no more: it is done, and nobody can
// read its source again.
func (in *Input) spent() bool {
	if in.mayBegin == nil {
		return in.done
	}
	return in.done && in.running == 0 && !in.mayBegin()
}

// look finds out whether those who wait can still go on.
func (b *Budget) look() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiters) > 0 {
		b.wake()
	}
}
