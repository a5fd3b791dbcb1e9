package operators

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// MergeSorted merges streams that are in order into one that is. compare returns a negative number
// where a comes before b, 0 where they are equal, and a positive number else, as cmp.Compare does.
//
// Order: of equal rows those of an earlier stream come first, and rows of one stream keep their
// order. A stream that is not in order is an error, ErrOutOfOrder, which names the row. So is a
// table that several workers read: with rxcql.WithWorkers(1) it has the order of its tokens.
//
// All streams are read at once, each in a goroutine of its own. Of each a page waits until its rows
// have gone on, and the last row of the page before it is kept to check the order; nothing else is
// held, and only the pages are charged to the budget. Rows go on as soon as no stream can bring one
// that comes before, and before another page is waited for. Each of the sources has its part of the
// budget all the time. A Batch before one of the streams that the budget has no room for is a
// flow.BudgetHeldError, as everywhere. The first error ends all streams.
//
// It is resumable: each stream goes on where it was. The order is that within a run: a job that
// goes on begins its order again, with rows that are less than the last of the run before. It
// cannot stand before a sink that writes a file, since a save would wait for pages that wait for
// others. GroupAdjacent and DistinctAdjacent are refused behind it, as behind Merge: put them
// before it.
func MergeSorted[T any](compare func(a, b T) int, ins ...rxcql.Stream[T]) rxcql.Stream[T] {
	info := rxcql.StageInfo{Name: "MergeSorted", MixesRows: true, HoldsRows: len(ins) > 1}
	upstream, err := inputs(ins)
	info.Err = errors.Join(required("the function compare", compare == nil), err)
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
		m := &mergingSorted[T]{stepping: newStepping(st, out), compare: compare, keep: rxcql.CloneFunc[T]()}
		for _, in := range ins {
			m.ins = append(m.ins, &sorted[T]{input: addInput(&m.inStep, in)})
		}
		m.work = m.merge
		return m.finish(ctx)
	}, upstream...)
}

type mergingSorted[T any] struct {
	*stepping[T]
	compare func(a, b T) int
	keep    func(T) T
	ins     []*sorted[T]
	heap    []*sorted[T] // those with rows at hand, the least first
}

// sorted is an input of MergeSorted.
type sorted[T any] struct {
	*input[T]
	last   T    // of the page before
	later  bool // there was one
	placed bool // it is in the heap
}

// now is the first row that has not been used.
func (in *sorted[T]) now() *T { return &in.list[in.next] }

// merge hands on rows until some input has none at hand that may yet bring one.
func (m *mergingSorted[T]) merge(ctx context.Context) error {
	for _, in := range m.ins {
		switch {
		case in.placed && in.has():
		case in.placed:
			return nil // it has given its page up, so the stream is about to end
		case in.has():
			if in.later && m.compare(in.last, *in.now()) > 0 {
				return m.wrong(in, 0)
			}
			m.push(in)
		case !in.over:
			return nil
		}
	}
	for len(m.heap) > 0 {
		in := m.heap[0]
		from := in.next
		to, err := m.ahead(in, m.room())
		if err != nil {
			return err
		}
		m.made = append(m.made, in.list[from:to]...)
		if in.next = to; to == in.rows {
			in.last, in.later = m.keep(in.list[to-1]), true
			m.pop()
			return nil // until it has brought more, or has ended
		}
		m.down(0)
		if m.room() == 0 {
			if err := m.flush(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// ahead returns up to which row the least input comes before all others, and most rows at most. The
// first of its rows does.
func (m *mergingSorted[T]) ahead(in *sorted[T], most int) (to int, err error) {
	other := m.second()
	for to = in.next + 1; to < in.rows; to++ {
		if m.compare(in.list[to-1], in.list[to]) > 0 {
			return 0, m.wrong(in, to)
		}
		if to-in.next == most || other != nil && !m.before(in, to, other) {
			break
		}
	}
	return to, nil
}

func (m *mergingSorted[T]) wrong(in *sorted[T], row int) error {
	return m.outOfOrder(in.atHand, fmt.Sprintf("input %d", in.number), row)
}

// before reports whether a row of an input comes before the next one of another.
func (m *mergingSorted[T]) before(in *sorted[T], row int, other *sorted[T]) bool {
	c := m.compare(in.list[row], *other.now())
	return c < 0 || c == 0 && in.number < other.number
}

func (m *mergingSorted[T]) less(i, j int) bool {
	return m.before(m.heap[i], m.heap[i].next, m.heap[j])
}

// second is the least input except the first; nil if there is no other.
func (m *mergingSorted[T]) second() *sorted[T] {
	switch {
	case len(m.heap) < 2:
		return nil
	case len(m.heap) == 2 || m.less(1, 2):
		return m.heap[1]
	}
	return m.heap[2]
}

// push adds an input to the heap.
func (m *mergingSorted[T]) push(in *sorted[T]) {
	in.placed = true
	m.heap = append(m.heap, in)
	for i := len(m.heap) - 1; i > 0; {
		parent := (i - 1) / 2
		if !m.less(i, parent) {
			return
		}
		m.heap[i], m.heap[parent] = m.heap[parent], m.heap[i]
		i = parent
	}
}

// pop removes the first input.
func (m *mergingSorted[T]) pop() {
	last := len(m.heap) - 1
	m.heap[0].placed = false
	m.heap[0], m.heap[last] = m.heap[last], nil
	m.heap = m.heap[:last]
	m.down(0)
}

// down moves an input to its place after its row has become another.
func (m *mergingSorted[T]) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(m.heap); child++ {
			if m.less(child, least) {
				least = child
			}
		}
		if least == i {
			return
		}
		m.heap[i], m.heap[least] = m.heap[least], m.heap[i]
		i = least
	}
}
