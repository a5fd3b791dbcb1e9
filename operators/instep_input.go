package operators

import (
	"context"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// atHand is what there is of an input: a page, or nothing now. All fields are under the mutex of
// the inStep.
type atHand struct {
	gate *flow.Inlet
	page *flow.Reservation // nil if there is none
	rows int               // of the page
	next int               // the first of them that has not been used
	took int               // those before it have had their share taken
	away int64             // bytes of rows behind took that the operator has taken to keep them
	used bool              // rows that wait to be handed on are made of the page, whatever next is

	lost bool // rows of the page are given up, see abandon

	over    bool // the input has ended
	stopped bool // because reading was stopped
	gone    chan struct{}
	read    func(ctx context.Context) error
	weigh   func(from, to int) int64 // the bytes of these rows of the page
}

// input is an input with the type of its rows.
type input[T any] struct {
	*atHand
	number int // from 1
	list   []T // the rows of the page at hand
}

// has reports whether a row of the input is at hand.
func (h *atHand) has() bool { return h.page != nil && h.next < h.rows }

// addInput adds an input, before run.
func addInput[T any](s *inStep, in rxcql.Stream[T]) *input[T] {
	h := &atHand{gone: make(chan struct{}, 1)}
	s.inputs = append(s.inputs, h)
	i := &input[T]{atHand: h, number: len(s.inputs)}
	size := rxcql.SizeFunc[T]()
	h.weigh = func(from, to int) (bytes int64) {
		for row := from; row < to; row++ {
			bytes += int64(size(&i.list[row]))
		}
		return bytes
	}
	h.read = func(ctx context.Context) error {
		ctx, h.gate = s.budget.Inlet(ctx)
		if err := in.Subscribe(ctx, s.st, &arriving[T]{s: s, input: i}); err != nil {
			return err
		}
		return s.end(h, false) // if it has not said so itself
	}
	return i
}

// leave notes that the page is not at hand any more.
func (h *atHand) leave() {
	h.page = nil
	h.gate.GoesOn()
}

// arriving observes an input.
type arriving[T any] struct {
	s *inStep
	*input[T]
}

func (a *arriving[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	if len(p.Rows) == 0 && !p.Says() {
		return nil
	}
	arrived := false
	err := a.s.call(func(ctx context.Context) error {
		a.s.mu.Lock()
		defer a.s.mu.Unlock()
		arrived = true
		if len(p.Rows) == 0 {
			return a.s.tell(ctx, a.atHand, p.Advance())
		}
		a.list = p.Rows
		return a.s.arrive(ctx, a.atHand, p.Reservation, len(p.Rows))
	})
	left := len(p.Rows)
	switch {
	case err == nil && left == 0:
		return nil
	case err == nil:
		left, err = a.s.await(ctx, a.atHand)
	case arrived:
		a.s.mu.Lock()
		left = a.s.giveUp(a.atHand)
		a.s.mu.Unlock()
	}
	if flow.IsEnd(err) { // otherwise they are not dropped on purpose
		a.s.st.CountDropped(left)
	}
	return err
}

func (a *arriving[T]) Done(_ context.Context, stopped bool) error { return a.s.end(a.atHand, stopped) }

// Demand does not ask downstream, which may be at work in another goroutine.
func (a *arriving[T]) Demand() int64 { return a.s.limit.Load() }

// await waits until the page has gone, or the input is to end. It returns how many rows are given
// up then.
func (s *inStep) await(ctx context.Context, h *atHand) (left int, err error) {
	select {
	case <-h.gone:
		return 0, nil
	case <-ctx.Done():
		err = context.Cause(ctx)
	case <-s.ended():
		err = s.cause()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-h.gone:
		return 0, nil
	default:
		return s.giveUp(h), err
	}
}

// giveUp takes away the page at hand, if there is one, and returns how many of its rows have not
// been used.
func (s *inStep) giveUp(h *atHand) (left int) {
	if h.page == nil {
		return 0
	}
	h.leave()
	return h.rows - h.next
}
