package sink

import (
	"context"
	"sync"
)

// maxFlightBytes bounds the bytes of what is in flight at once. What is larger
// goes alone.
const maxFlightBytes = 64 << 20

// flight bounds what a sink has taken on and not finished, by number and by bytes,
// requests that wait to be repeated included: it bounds memory. How many of them
// are out at once is up to window. At most one goroutine waits in acquire at a
// time.
type flight struct {
	mu    sync.Mutex
	limit int
	most  int64 // bytes
	n     int
	bytes int64
	freed chan struct{} // has a token when something may have been freed
}

func newFlight(limit int, most int64) *flight {
	return &flight{limit: limit, most: most, freed: make(chan struct{}, 1)}
}

// acquire waits for room. Failed ends the wait too.
func (f *flight) acquire(ctx context.Context, bytes int64, failed <-chan struct{}) error {
	for !f.try(bytes) {
		select {
		case <-f.freed:
		case <-failed:
			return errFailed
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// try takes room if there is some.
func (f *flight) try(bytes int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.n > 0 && (f.n >= f.limit || f.bytes+bytes > f.most) {
		return false
	}
	f.n++
	f.bytes += bytes
	return true
}

func (f *flight) release(bytes int64) {
	f.mu.Lock()
	f.n--
	f.bytes -= bytes
	f.mu.Unlock()
	select {
	case f.freed <- struct{}{}:
	default:
	}
}

// empty waits until nothing is in flight.
func (f *flight) empty(ctx context.Context) error {
	for {
		f.mu.Lock()
		n := f.n
		f.mu.Unlock()
		if n == 0 {
			return nil
		}
		select {
		case <-f.freed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
