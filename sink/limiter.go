package sink

import (
	"context"
	"log/slog"
	"sync"

	"github.com/rxcql/rxcql/internal/driver"
)

// limiter bounds how many requests of a sink are in flight, and adapts that bound to what the
// server can take. An answer that says that the server has too much to do halves it, at most once
// for all requests that were in flight together. For every full limit of successes it grows by one,
// up to InFlight. A request that waits for a retry is not in flight.
//
// Why not failsafe-go's adaptivelimiter? It goes by the trend of answer times only, so it does not
// see an Overloaded and cannot be told of it (a failed request can only be left out of its
// figures). It adapts at the end of sampling periods of a second or more, so no test could predict
// its next step. And it does not count bytes, which flight bounds as well as the number.
type limiter struct {
	log     *slog.Logger
	max     int
	changed func(limit, most int, err error) // called with every new limit, one after the other; may be nil

	mu      sync.Mutex
	limit   int
	out     int
	sent    uint64 // number of requests so far; the number of each is its ticket
	cut     uint64 // the last ticket that had been given out when the limit was cut
	good    int    // successes since the limit changed
	waiting []*turn
}

// turn is a place in the queue.
type turn struct {
	ready  chan struct{} // closed when there is room
	ticket uint64
}

func newLimiter(limit int, log *slog.Logger) *limiter {
	return &limiter{log: log, max: limit, limit: limit}
}

// set changes the limit; err is the reason, if any. The caller holds mu, so changed is told of the
// limits in their order.
func (l *limiter) set(limit int, err error) {
	l.limit, l.good = limit, 0
	if l.changed != nil {
		l.changed(limit, l.max, err)
	}
}

// enter waits for room. The caller must leave with the ticket.
func (l *limiter) enter(ctx context.Context) (ticket uint64, err error) {
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	l.mu.Lock()
	if l.out < l.limit && len(l.waiting) == 0 {
		defer l.mu.Unlock()
		return l.admit(), nil
	}
	place := &turn{ready: make(chan struct{})}
	l.waiting = append(l.waiting, place)
	l.mu.Unlock()
	select {
	case <-place.ready:
		return place.ticket, nil
	case <-ctx.Done():
		l.giveUp(place)
		return 0, context.Cause(ctx)
	}
}

func (l *limiter) admit() uint64 {
	l.out++
	l.sent++
	return l.sent
}

// giveUp leaves the queue, or gives back the room that came at the same time.
func (l *limiter) giveUp(place *turn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, other := range l.waiting {
		if other == place {
			l.waiting = append(l.waiting[:i], l.waiting[i+1:]...)
			return
		}
	}
	l.out--
	l.next()
}

// leave makes room, and adapts the limit to how the request ended.
func (l *limiter) leave(ticket uint64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.out--
	defer l.next() // whatever comes of telling of a new limit
	switch {
	case ticket <= l.cut: // sent before the last cut, so it says nothing about the time since
	case err == nil:
		if l.good++; l.good >= l.limit && l.limit < l.max {
			l.set(l.limit+1, nil)
		}
	case tooMuch(driver.Classify(err)):
		l.cut, l.good = l.sent, 0
		if l.limit > 1 {
			l.set(l.limit/2, err)
			l.log.Warn("the server has too much to do: fewer requests are sent at once", "requests", l.limit, "of", l.max,
				"answer", driver.Classify(err).String())
		}
	}
}

// next lets in those who have waited longest.
func (l *limiter) next() {
	for l.out < l.limit && len(l.waiting) > 0 {
		first := l.waiting[0]
		l.waiting[0] = nil
		l.waiting = l.waiting[1:]
		first.ticket = l.admit()
		close(first.ready)
	}
}

// tooMuch reports whether a failure is one that fewer requests at once may prevent.
func tooMuch(c driver.Class) bool {
	switch c {
	case driver.Overloaded, driver.WriteTimeout, driver.ClientTimeout, driver.ConnectionLost, driver.NoHosts:
		return true
	}
	return false
}
