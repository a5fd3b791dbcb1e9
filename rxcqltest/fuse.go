package rxcqltest

import (
	"context"
	"sync/atomic"
)

// mostLooks is the largest number of looks at a context that the suites allow a call.
const mostLooks = 12

// fuse is a context that ends once it has been looked at a given number of times. With 0, 1, 2 …
// looks it cuts a call off at every point at which the call obeys its context.
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
