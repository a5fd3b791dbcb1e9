package rxcql

import "context"

// threads are the goroutines in which a stage is at work in a run, as far as the
// engine knows them: the one that its run function was called in, and those of its
// Groups. They decide whether an input that has not begun may yet begin: only
// the stage that reads it can do that, in a goroutine that is not reading another.
//
// All of it is under the budget's mutex, and what passes from one stage to another passes
// in one step: a thread that goes down into a stage, or comes back, is never counted in
// neither. Whoever looks for one goes from the source up, the way it would be missed.
type threads struct {
	active int  // calls of its run function
	group  int  // goroutines of its Groups, less those that wait for one
	inside int  // calls of Stream.Subscribe that it has made
	begun  bool // whether its run function has ever been called
	asked  int  // the last question that it answered, see mayBeginFor
}

// link is a stage that reads another.
type link struct {
	by    *Stage
	given int // how often it has the other among its inputs
	now   int // calls of Stream.Subscribe that have not returned
}

// open reports whether the stage may read the other, in one goroutine more.
func (l *link) open() bool {
	t := &l.by.threads
	return t.active+t.group > t.inside && l.now < l.given*t.active
}

// enter notes that the run function is called, by reader unless that is nil, and
// returns the context of the call and what notes its end.
func (s *Stage) enter(ctx context.Context, reader *Stage) (_ context.Context, leave func()) {
	b := s.run.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	from := s.linkOf(reader)
	s.count(1, reader, from)
	if s.input != nil {
		ctx = context.WithValue(ctx, readingKey{}, &reading{of: s.input})
	}
	return ctx, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		s.count(-1, reader, from)
	}
}

// count counts a call of the run function in, or out. Under the budget's mutex.
func (s *Stage) count(n int, reader *Stage, from *link) {
	s.threads.active += n
	s.threads.begun = true
	from.now += n
	if reader != nil {
		reader.threads.inside += n
	}
	if s.input != nil {
		s.input.runs(n)
	}
	s.run.budget.look()
}

// linkOf is the link to a reader. One that has not said that it reads s is known from
// then on; a sink, which reads once, is not.
func (s *Stage) linkOf(reader *Stage) *link {
	for _, l := range s.readers {
		if l.by == reader {
			return l
		}
	}
	l := &link{by: reader, given: 1}
	if reader != nil && reader.threads.active > 0 {
		s.readers = append(s.readers, l)
	}
	return l
}

// readBy notes that the stage is an input of another, once or once more.
func (s *Stage) readBy(reader *Stage) {
	for _, l := range s.readers {
		if l.by == reader {
			l.given++
			return
		}
	}
	s.readers = append(s.readers, &link{by: reader, given: 1})
}

// mayBegin reports whether someone may yet subscribe to a stage, for the first time or
// again: a stage that reads it and has a thread for that, or one that may itself be begun,
// also once more. Under the budget's mutex.
func (s *Stage) mayBegin() bool {
	s.run.budget.asked++
	return s.mayBeginFor(s.run.budget.asked)
}

// mayBeginFor is mayBegin for a question that has a number: no stage answers it twice.
func (s *Stage) mayBeginFor(question int) bool {
	if s.threads.asked == question {
		return false
	}
	s.threads.asked = question
	if len(s.readers) == 0 {
		return !s.threads.begun // the run itself, or a sink: they read once
	}
	for _, l := range s.readers {
		if l.open() || l.by.mayBeginFor(question) {
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
		r.stages[in].readBy(st)
	}
	r.budget.mu.Unlock()
	r.stages[n] = st
	r.order = append(r.order, st)
	return st
}

// reading is one call of a source's run function. Its context knows it.
type reading struct {
	of      *Input
	waiting int // reservations that wait
}

type readingKey struct{}

// runs counts a call of the source's run function in, or out. At its end the source
// reserves nothing more, whether it has called Done or not. Under the budget's mutex.
func (in *Input) runs(n int) {
	in.running += n
	in.done = in.running == 0 // a stream may be read twice in one run, one after the other
}

// reading is the one that reserves with ctx; nil for a context that is of none.
func (in *Input) reading(ctx context.Context) *reading {
	if r, ok := ctx.Value(readingKey{}).(*reading); ok && r.of == in {
		return r
	}
	return nil
}

// waits counts a reservation among those that wait, or out of them. A reading waits if
// one of its reservations does, though the source may have several workers: they
// bring their rows by one way. Under the budget's mutex.
func (in *Input) waits(n int, r *reading) {
	in.waiting += n
	if r == nil {
		in.strays += n
		return
	}
	before := r.waiting
	if r.waiting += n; before == 0 || r.waiting == 0 {
		in.stopped += n
	}
}

// moves reports whether the input may still bring a page by itself, or come to its end: a
// page of it is on its way, or one of its readings does not wait for room, or another
// may yet begin.
func (in *Input) moves() bool {
	switch {
	case in.outstanding > 0:
		return true
	case in.mayBegin == nil:
		return in.waiting == 0 && !in.done
	}
	return in.strays == 0 && in.running > in.stopped || in.mayBegin()
}

// spent reports whether the input needs its credit no more: it is done, and nobody can
// read its source again.
func (in *Input) spent() bool {
	if in.mayBegin == nil {
		return in.done
	}
	return in.done && in.running == 0 && !in.mayBegin()
}

// look finds out whether those who wait can still go on. Under the mutex.
func (b *Budget) look() {
	if len(b.waiters) > 0 {
		b.wake()
	}
}
