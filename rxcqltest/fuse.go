package rxcqltest

import (
	"context"
	"sync/atomic"
)

// mostLooks is how many looks at a context the suites go through.
const mostLooks = 12

// fuse is a context that ends when it has been looked at so often. With 0, 1, 2 …
// looks it cuts a call off at every point where that obeys it.
type fuse struct {
	context.Context
	left atomic.Int64
	end  context.CancelCauseFunc
}

func newFuse(ctx context.Context, looks int) *fuse {
	f := &fuse{}
	f.Context, f.end = context.WithCancelCause(ctx)
	f.left.Store(int64(looks))
	return f
}

func (f *fuse) look() {
	if f.left.Add(-1) < 0 {
		f.end(errCutOff)
	}
}

// Done implements context.Context.
func (f *fuse) Done() <-chan struct{} {
	f.look()
	return f.Context.Done()
}

// Err implements context.Context.
func (f *fuse) Err() error {
	f.look()
	return f.Context.Err()
}
