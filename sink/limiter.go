package sink

import (
	"context"
	"log/slog"
	"sync"

	"github.com/rxcql/rxcql/internal/driver"
)

// window bounds how many requests of a sink are out at once, and fits that to
// what the server bears: it is halved by an answer that says too much is going
// on, at most once for the requests that were out together, and grows by one
// with every full window of successes, up to InFlight. What waits for a retry
// is not out.
//
// It is not failsafe-go's adaptivelimiter: that one goes by the trend of answer
// times alone, so it neither sees an Overloaded nor can be told of it (a failed
// request may only be dropped from its figures), and it moves at the end of
// sampling periods of a second or more, so that no test could say what it does
// next. Nor does it know bytes, which flight bounds beside the number.
type window struct {
	log *slog.Logger
	max int

	mu      sync.Mutex
	limit   int
	out     int
	sent    uint64 // requests so far; each one's number is its ticket
	cut     uint64 // the last ticket that was out when the window was cut
	good    int    // successes since the limit changed
	waiting []*turn
}

// turn is someone's place in the queue.
type turn struct {
	ready  chan struct{} // closed when there is room
	ticket uint64
}

func newWindow(limit int, log *slog.Logger) *window {
	return &window{log: log, max: limit, limit: limit}
}

// enter waits for room. The caller has to leave with the ticket.
func (w *window) enter(ctx context.Context) (ticket uint64, err error) {
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	w.mu.Lock()
	if w.out < w.limit && len(w.waiting) == 0 {
		defer w.mu.Unlock()
		return w.admit(), nil
	}
	place := &turn{ready: make(chan struct{})}
	w.waiting = append(w.waiting, place)
	w.mu.Unlock()
	select {
	case <-place.ready:
		return place.ticket, nil
	case <-ctx.Done():
		w.giveUp(place)
		return 0, context.Cause(ctx)
	}
}

func (w *window) admit() uint64 {
	w.out++
	w.sent++
	return w.sent
}

// giveUp leaves the queue, or gives back the room that came at the same time.
func (w *window) giveUp(place *turn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, other := range w.waiting {
		if other == place {
			w.waiting = append(w.waiting[:i], w.waiting[i+1:]...)
			return
		}
	}
	w.out--
	w.next()
}

// leave makes room, and learns from how the request ended.
func (w *window) leave(ticket uint64, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out--
	switch {
	case ticket <= w.cut: // sent before the last cut, so it tells of the time before
	case err == nil:
		if w.good++; w.good >= w.limit && w.limit < w.max {
			w.good = 0
			w.limit++
		}
	case tooMuch(driver.Classify(err)):
		w.cut, w.good = w.sent, 0
		if w.limit > 1 {
			w.limit /= 2
			w.log.Warn("the server has too much to do: fewer requests at once", "requests", w.limit, "of", w.max,
				"answer", driver.Classify(err).String())
		}
	}
	w.next()
}

// next lets in those who wait longest.
func (w *window) next() {
	for w.out < w.limit && len(w.waiting) > 0 {
		first := w.waiting[0]
		w.waiting[0] = nil
		w.waiting = w.waiting[1:]
		first.ticket = w.admit()
		close(first.ready)
	}
}

// tooMuch tells failures that fewer requests at once may mend.
func tooMuch(c driver.Class) bool {
	switch c {
	case driver.Overloaded, driver.WriteTimeout, driver.ClientTimeout, driver.ConnectionLost, driver.NoHosts:
		return true
	}
	return false
}
