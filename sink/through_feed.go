package sink

import (
	"context"
	"errors"
	"sync"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/lock"
)

var (
	errClosed = errors.New("the sink was closed")
	// errNoFeed is the error of a stream that Through did not subscribe to.
	errNoFeed = errors.New("the stream given to the function of sink.Through can only be run by that sink")
	errTwice  = errors.New("the stream given to the function of sink.Through can be used only once")
)

type feedKey struct{}

// feed is the source of the operators in a Through: its pages come from Write. The goroutine that
// writes calls the operators' observer; the goroutine that subscribed only waits for the end.
type feed[A any] struct {
	ready chan struct{}    // closed when st, ctx and out are set
	st    *rxcql.Stage     // of the stream given to the function
	ctx   context.Context  // of the subscription
	out   flow.Observer[A] //
	end   chan error       // how the stream ended, sent once
	mu    lock.Lock        // held while out is called
	ended bool             // out must not be called any more
	shut  bool             // by close
	once  sync.Once        // of the subscription
}

func newFeed[A any]() *feed[A] {
	return &feed[A]{ready: make(chan struct{}), end: make(chan error, 1), mu: lock.New()}
}

// subscribeFeed runs the stream that Through gives to its function.
func subscribeFeed[A any](ctx context.Context, st *rxcql.Stage, out flow.Observer[A]) error {
	f, ok := ctx.Value(feedKey{}).(*feed[A])
	if !ok {
		return st.Fail(errNoFeed)
	}
	err := errTwice
	f.once.Do(func() {
		err = nil
		f.st, f.ctx, f.out = st, ctx, out
		close(f.ready)
	})
	if err != nil {
		return st.Fail(err)
	}
	select {
	case err := <-f.end:
		return err
	case <-ctx.Done():
		f.mu.Lock() // a call in progress obeys the same context
		defer f.mu.Unlock()
		if f.ended {
			select {
			case err := <-f.end: // the stream ended first
				return err
			default: // ended by close
			}
		}
		f.ended = true
		return context.Cause(ctx)
	}
}

// next hands a page to the operators. ended reports that they take no more. err is the operators'
// error, which ends them.
func (f *feed[A]) next(p *flow.Page[A], over <-chan struct{}) (ended bool, err error) {
	return f.call(over, false, func() error {
		f.st.CountIn(len(p.Rows))
		return f.out.Next(f.ctx, p)
	})
}

// finish tells the operators that no page follows.
func (f *feed[A]) finish(stopped bool, over <-chan struct{}) {
	_, _ = f.call(over, true, func() error { return f.out.Done(f.ctx, stopped) })
}

func (f *feed[A]) call(over <-chan struct{}, last bool, fn func() error) (ended bool, err error) {
	select {
	case <-f.ready:
	case <-over:
		return true, nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended {
		return true, nil
	}
	if err = fn(); err != nil || last {
		f.ended = true
		f.end <- err
	}
	return false, err
}

// close says that an end from here on is not a failure.
func (f *feed[A]) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.ended, f.shut = true, true
}

func (f *feed[A]) isClosed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.shut
}
