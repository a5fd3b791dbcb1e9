package operators

import (
	"context"
	"sync"

	"github.com/reactivex/rxgo/v2"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/rx"
)

// feed gives the rows of a stream to rxgo within a run. rxgo cannot be relied on to say how the
// reading ended: its operators may swallow an error, and close silently when cancelled. So the feed
// is asked for that.
type feed[T any] struct {
	st *rxcql.Stage
	in rxcql.Stream[T]

	mu      sync.Mutex
	idle    sync.Cond
	reading int  // observers now
	closed  bool // an observer that comes now comes too late
	whole   bool // some observer was given all rows
	stopped bool
	err     error
}

// newFeed returns the feed of a stream. It starts nothing.
func newFeed[T any](st *rxcql.Stage, in rxcql.Stream[T]) *feed[T] {
	f := &feed[T]{st: st, in: in}
	f.idle.L = &f.mu
	return f
}

// Observable returns the rows as a cold Observable, one item a row. An error is not an item: the
// Observable closes, and Err returns the error from before that on. A page's receipt settles when
// its rows have been handed over, because rxgo does not say what becomes of them.
func (f *feed[T]) Observable(ctx context.Context) rxgo.Observable {
	return rxgo.Defer([]rxgo.Producer{func(_ context.Context, ch chan<- rxgo.Item) { f.read(ctx, ch) }})
}

func (f *feed[T]) read(ctx context.Context, ch chan<- rxgo.Item) {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return
	}
	f.reading++
	f.mu.Unlock()

	to := &feeding[T]{ch: ch, keep: rxcql.CloneFunc[T]()}
	err := rx.ErrExited // stays if Subscribe does not return
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.stopped = f.stopped || to.stopped
		f.whole = f.whole || err == nil
		if f.err == nil {
			f.err = err
		}
		f.reading--
		f.idle.Broadcast()
	}()
	err = f.in.Subscribe(ctx, f.st, to)
}

// Err returns the error that ended a reading, if there is one.
func (f *feed[T]) Err() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}

// Whole reports whether the stream has been read to its end and is not being read now.
func (f *feed[T]) Whole() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.whole && f.reading == 0
}

// Wait waits until nothing of the reading is left, and lets none begin; cancel the context first.
// stopped says that reading was stopped early (Pipeline.Stop).
func (f *feed[T]) Wait() (stopped bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	for f.reading > 0 {
		f.idle.Wait()
	}
	return f.stopped, f.err
}

// feeding hands over the rows of one reading.
type feeding[T any] struct {
	ch      chan<- rxgo.Item
	keep    func(T) T
	stopped bool
}

func (f *feeding[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	for _, row := range p.Rows {
		select {
		case f.ch <- rxgo.Of(f.keep(row)):
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

func (f *feeding[T]) Done(_ context.Context, stopped bool) error {
	f.stopped = stopped
	return nil
}
