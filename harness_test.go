package rxcql_test

import (
	"context"
	"errors"
	"iter"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/source"
)

const kib = int64(1 << 10)

// alone runs a test in a bubble of its own, which fails it if a goroutine is
// left behind, and where time passes only while everything waits.
func alone(t *testing.T, name string, fn func(t *testing.T)) {
	t.Helper()
	t.Run(name, func(t *testing.T) { synctest.Test(t, fn) })
}

var errTest = errors.New("broken on purpose")

// numbers yields 0 to n-1 and counts the rows that were asked for.
func numbers(n int, pulled *int) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for i := range n {
			if pulled != nil {
				*pulled++
			}
			if !yield(i, nil) {
				return
			}
		}
	}
}

// endless yields numbers for ever.
func endless(yield func(int, error) bool) {
	for i := 0; yield(i, nil); i++ {
	}
}

func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

func seq(n int) rxcql.Stream[int] { return source.Seq(numbers(n, nil), source.PageRows(10)) }

// memory is a sink whose every method can be replaced.
type memory[T any] struct {
	mu             sync.Mutex
	rows           []T
	opened, closed int

	config error
	check  func() error
	open   func(ctx context.Context, st *rxcql.Stage) error
	write  func(ctx context.Context, p *flow.Page[T]) error
	flush  func(ctx context.Context) error
	close  func() error
}

func (m *memory[T]) Info() rxcql.SinkInfo { return rxcql.SinkInfo{Err: m.config} }

func (m *memory[T]) Check(context.Context) error {
	if m.check != nil {
		return m.check()
	}
	return nil
}

func (m *memory[T]) Open(ctx context.Context, r *rxcql.Execution) (rxcql.Writer[T], error) {
	m.opened++
	st := r.SinkStage("Memory")
	if m.open != nil {
		if err := m.open(ctx, st); err != nil {
			return nil, err
		}
	}
	return &memoryWriter[T]{memory: m, st: st}, nil
}

func (m *memory[T]) got() []T {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]T{}, m.rows...)
}

type memoryWriter[T any] struct {
	*memory[T]
	st *rxcql.Stage
}

func (w *memoryWriter[T]) Write(ctx context.Context, p *flow.Page[T]) error {
	w.st.CountIn(len(p.Rows))
	if w.write != nil {
		if err := w.write(ctx, p); err != nil {
			return err
		}
	}
	w.mu.Lock()
	w.rows = append(w.rows, p.Rows...)
	w.mu.Unlock()
	w.st.CountWritten(len(p.Rows))
	return nil
}

func (w *memoryWriter[T]) Flush(ctx context.Context) error {
	if w.flush != nil {
		return w.flush(ctx)
	}
	return nil
}

func (w *memoryWriter[T]) Close() error {
	w.closed++
	if w.close != nil {
		return w.close()
	}
	return nil
}

func pipeline[T any](t *testing.T, in rxcql.Stream[T], to rxcql.Sink[T], opts ...rxcql.Option) *rxcql.Pipeline {
	t.Helper()
	p, err := rxcql.New(in, to, opts...)
	require.NoError(t, err)
	return p
}

// op is an operator made of functions; next defaults to passing pages on.
type op[A, B any] struct {
	next func(ctx context.Context, p *flow.Page[A]) error
	done func(ctx context.Context, stopped bool) error
}

func (o op[A, B]) Next(ctx context.Context, p *flow.Page[A]) error { return o.next(ctx, p) }
func (o op[A, B]) Done(ctx context.Context, stopped bool) error    { return o.done(ctx, stopped) }

// mapped is the smallest operator: one row in, one out.
func mapped[A, B any](in rxcql.Stream[A], fn func(A) B) rxcql.Stream[B] {
	return rxcql.Lift(in, rxcql.StageInfo{Name: "Map", OneToOne: true}, func(_ *rxcql.Stage, out flow.Observer[B]) flow.Observer[A] {
		return op[A, B]{done: out.Done, next: func(ctx context.Context, p *flow.Page[A]) error {
			rows := make([]B, 0, len(p.Rows))
			for _, row := range p.Rows {
				rows = append(rows, fn(row))
			}
			return out.Next(ctx, flow.Derive(p, rows))
		}}
	})
}

// take ends the stream after n rows.
func take[T any](in rxcql.Stream[T], n int) rxcql.Stream[T] {
	return rxcql.Lift(in, rxcql.StageInfo{Name: "Take"}, func(st *rxcql.Stage, out flow.Observer[T]) flow.Observer[T] {
		return &taking[T]{st: st, out: out, left: n}
	})
}

type taking[T any] struct {
	st   *rxcql.Stage
	out  flow.Observer[T]
	left int
}

func (o *taking[T]) Demand() int64 { return int64(o.left) }

func (o *taking[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	rows := p.Rows[:min(len(p.Rows), o.left)]
	o.left -= len(rows)
	if err := o.out.Next(ctx, flow.Derive(p, rows)); err != nil {
		return err
	}
	if o.left > 0 {
		return nil
	}
	if err := o.out.Done(ctx, false); err != nil {
		return err
	}
	return o.st.End()
}

func (o *taking[T]) Done(ctx context.Context, stopped bool) error { return o.out.Done(ctx, stopped) }

// keeping takes every row of every page and hands nothing on until done is
// called; then all goes on as one page.
func keeping[T any](in rxcql.Stream[T], frees bool) rxcql.Stream[T] {
	return rxcql.Lift(in, rxcql.StageInfo{Name: "Keep"}, func(st *rxcql.Stage, out flow.Observer[T]) flow.Observer[T] {
		kept, rows := st.Account(frees).Reservation(), []T(nil)
		return op[T, T]{
			next: func(_ context.Context, p *flow.Page[T]) error {
				kept.Take(p.Reservation, p.Bytes())
				rows = append(rows, p.Rows...)
				return nil
			},
			done: func(ctx context.Context, stopped bool) error {
				kept.Emit()
				err := out.Next(ctx, &flow.Page[T]{Rows: rows, Reservation: kept})
				kept.Finish(err)
				if err != nil {
					return err
				}
				return out.Done(ctx, stopped)
			},
		}
	})
}

// manual is an Observable that sends nothing until end is called.
func manual() (obs rxgo.Observable, end func()) {
	items := make(chan rxgo.Item)
	return rxgo.FromChannel(items), func() { close(items) }
}

// rxgoOf is a cold Observable of 0 to n-1.
func rxgoOf(n int) rxgo.Observable {
	return rxgo.Defer([]rxgo.Producer{func(_ context.Context, ch chan<- rxgo.Item) {
		for i := range n {
			ch <- rxgo.Of(i)
		}
	}})
}
