package sink

import (
	"context"
	"sync"
)

// maxFlightBytes bounds the bytes of what is in flight at once. What is larger
// goes alone.
const maxFlightBytes = 64 << 20

// maxQueued bounds how many jobs more than are worked on a sink takes on. Answers come
// in bursts, of as many as are out at once: each worker of a burst that finds no job
// waits until the one who hands them over has been woken, and then for its turn.
const maxQueued = 256

// flight bounds what a sink has taken on and not finished, by number and by bytes,
// requests that wait to be repeated included: it bounds memory. How many of them
// are out at once is up to limiter. At most one goroutine waits in acquire at a
// time.
//
// It takes on more jobs than there are workers, and who waits for room is woken
// only when half of the jobs beyond that number are gone. So a worker that is done
// finds its next job, and the one who hands jobs over is woken once for many. With
// room for no more than the workers each job cost two goroutine switches, which
// was dear where a job is one row.
type flight struct {
	mu      sync.Mutex
	limit   int
	workers int   // that work on them
	low     int   // number from which on downwards the one who waits is woken
	most    int64 // bytes
	n       int
	bytes   int64
	freed   chan struct{} // has a token when something may have been freed
}

func newFlight(workers int, most int64) *flight {
	queued := min(workers, maxQueued)
	return &flight{
		limit: workers + queued, workers: workers, low: workers + queued/2, most: most, freed: make(chan struct{}, 1),
	}
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
func (f *flight) try(bytes int64) bool { return f.within(f.limit, bytes) }

// atOnce takes room if there is a worker for it. What has not waited for room before
// gains nothing by waiting for a worker: a batch may as well grow.
func (f *flight) atOnce(bytes int64) bool { return f.within(f.workers, bytes) }

func (f *flight) within(limit int, bytes int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.n > 0 && (f.n >= limit || f.bytes+bytes > f.most) {
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
	wake := f.n <= f.low
	f.mu.Unlock()
	if !wake {
		return
	}
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
