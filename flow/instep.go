package flow

import "context"

// InStep is a stage that reads several inputs in step, as the budget sees it: a page of one input
// waits in Observer.Next until rows of another have come. Such a page does not move, though its
// delivery is on its way, and neither does anything else that goes the same way: pages read ahead,
// rows in operators before it. If the budget took all that for moving, a Batch before the other
// input that has no room for its rows would hang the run.
//
//	step := st.InStep()
//	inCtx, inlet := step.Inlet(ctx)
//	err := in.Subscribe(inCtx, st, observer) // in a goroutine of the stage, for each input
//
// In Next the observer calls Inlet.Waits, and Inlet.GoesOn before it returns. When the stage has
// done all that the rows at hand allow, it calls Starve: from then on the pages that wait are
// blocked, until the next page comes and Waits is called again.
//
// One goroutine at a time may call the methods of an InStep and of its inlets.
type InStep struct {
	budget  *Budget
	starved bool // under the budget's mutex
}

// Inlet is one of the inputs of a stage that reads them in step.
type Inlet struct {
	of    *InStep
	waits bool // a page of it waits in Next; under the budget's mutex
}

// InStep registers the stage, in one call of its run function, as one that reads in step.
func (t *Task) InStep() *InStep {
	t.budget.inStep.Store(true)
	return &InStep{budget: t.budget}
}

// Inlet returns a further input, and the context with which the stage subscribes to it.
func (s *InStep) Inlet(ctx context.Context) (context.Context, *Inlet) {
	i := &Inlet{of: s}
	return context.WithValue(ctx, callKey{}, &call{budget: s.budget, up: s.budget.callOf(ctx), inlet: i}), i
}

// Waits notes that a page of the input waits in Next, and that the stage is at work: until Starve
// is called nothing is blocked.
func (i *Inlet) Waits() {
	b := i.of.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	i.waits = true
	i.of.starve(false)
}

// GoesOn notes that the page is done with, so that its Next is about to return.
func (i *Inlet) GoesOn() {
	b := i.of.budget
	b.mu.Lock()
	defer b.mu.Unlock()
	i.waits = false
}

// Works notes that the stage is at work, though no page has come: an input has ended, say, or the
// stage has failed. Until Starve is called nothing is blocked.
func (s *InStep) Works() {
	s.budget.mu.Lock()
	defer s.budget.mu.Unlock()
	s.starve(false)
}

// Starve notes that the stage does nothing more before another page comes, or an input ends.
func (s *InStep) Starve() {
	s.budget.mu.Lock()
	defer s.budget.mu.Unlock()
	s.starve(true)
	s.budget.look()
}

// starve notes whether the stage starves. The caller holds the budget's mutex.
func (s *InStep) starve(now bool) {
	if s.starved == now {
		return
	}
	s.starved = now
	if now {
		s.budget.starving++
	} else {
		s.budget.starving--
	}
}
