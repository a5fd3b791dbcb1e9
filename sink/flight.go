package sink

import (
	"context"
	"sync"
)

// maxFlightBytes bounds the bytes that are in flight at once. A job that is larger goes alone.
const maxFlightBytes = 64 << 20

// maxQueued bounds how many jobs a sink takes on beyond those being worked on. Answers come in
// bursts, as many as there are requests in flight. A worker that then finds no job waits until the
// goroutine that hands jobs over has been woken, and then for its turn.
const maxQueued = 256

// flight bounds, by number and by bytes, what a sink has taken on and not finished. That includes
// requests that wait to be repeated, so it bounds memory; limiter bounds how many requests are in
// flight at once. At most one goroutine waits in acquire at a time.
//
// It takes on more jobs than there are workers, and wakes the goroutine that waits for room only
// when half of the additional jobs are gone. So a worker that is done finds its next job, and that
// goroutine is woken once for many jobs. With room only for as many jobs as workers, each job cost
// two goroutine switches, which is much where a job is one row.
type flight struct {
	mu      sync.Mutex
	limit   int
	workers int   // that work on the jobs
	low     int   // the number of jobs at which the goroutine that waits is woken
	most    int64 // bytes
	n       int
	bytes   int64
	freed   chan struct{} // has a token when something may have been freed, for the goroutine that waits
	roomy   chan struct{} // the same, for one that takes room by try and does not wait in acquire
}

func newFlight(workers int, most int64) *flight {
	queued := min(workers, maxQueued)
	return &flight{
		limit: workers + queued, workers: workers, low: workers + queued/2, most: most,
		freed: make(chan struct{}, 1), roomy: make(chan struct{}, 1),
	}
}

// acquire waits for room. When failed is closed the wait ends too.
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

// atOnce takes room if there is a worker for it. A batch that need not be sent yet gains nothing by
// waiting for a worker: it may as well grow.
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
	for _, token := range []chan struct{}{f.freed, f.roomy} {
		select {
		case token <- struct{}{}:
		default:
		}
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
