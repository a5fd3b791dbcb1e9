// Package limiter bounds how many requests of a stage are in flight, by what the server can take.
package limiter

import (
	"context"
	"log/slog"
	"sync"

	"github.com/rxcql/rxcql/internal/driver"
)

// Limiter bounds how many requests of a stage are in flight, and adapts that bound to what the
// server can take. An answer that says that the server has too much to do halves it, at most once
// for all requests that were in flight together. For every full limit of successes it grows by one,
// up to what it began with. A request that waits for a retry is not in flight.
//
// Why not failsafe-go's adaptivelimiter? It goes by the trend of answer times only, so it does not
// see an Overloaded and cannot be told of it (a failed request can only be left out of its
// figures). And it adapts at the end of sampling periods of a second or more, so no test could
// predict its next step.
type Limiter struct {
	log     *slog.Logger
	max     int
	changed func(limit, most int, err error)

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

// New makes a Limiter that begins with its most. It warns in log of each cut, and calls changed,
// which may be nil, with every new limit, one after the other.
func New(limit int, log *slog.Logger, changed func(limit, most int, err error)) *Limiter {
	return &Limiter{log: log, max: limit, limit: limit, changed: changed}
}

// Limit returns the limit as it is now.
func (l *Limiter) Limit() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.limit
}

// set changes the limit; err is the reason, if any. The caller holds mu, so changed is told of the
// limits in their order.
func (l *Limiter) set(limit int, err error) {
	l.limit, l.good = limit, 0
	if l.changed != nil {
		l.changed(limit, l.max, err)
	}
}

// Enter waits for room. The caller must Leave with the ticket.
func (l *Limiter) Enter(ctx context.Context) (ticket uint64, err error) {
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

func (l *Limiter) admit() uint64 {
	l.out++
	l.sent++
	return l.sent
}

// giveUp leaves the queue, or gives back the room that came at the same time.
func (l *Limiter) giveUp(place *turn) {
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

// Leave makes room, and adapts the limit to how the request ended.
func (l *Limiter) Leave(ticket uint64, err error) {
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
func (l *Limiter) next() {
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
	case driver.Overloaded, driver.ReadTimeout, driver.WriteTimeout, driver.ClientTimeout, driver.ConnectionLost, driver.NoHosts:
		return true
	}
	return false
}
