package sink

import (
	"context"
	"log/slog"
	"sync"

	"github.com/rxcql/rxcql/internal/driver"
)

// limiter bounds how many requests of a sink are in flight, and fits that to
// what the server bears: it is halved by an answer that says too much is going
// on, at most once for the requests that were out together, and grows by one
// with every full limit of successes, up to InFlight. What waits for a retry
// is not out.
//
// It is not failsafe-go's adaptivelimiter: that one goes by the trend of answer
// times alone, so it neither sees an Overloaded nor can be told of it (a failed
// request may only be dropped from its figures), and it moves at the end of
// sampling periods of a second or more, so that no test could say what it does
// next. Nor does it know bytes, which flight bounds beside the number.
type limiter struct {
	log     *slog.Logger
	max     int
	changed func(limit, most int, err error) // told of a new limit, one after the other; may be nil

	mu      sync.Mutex
	limit   int
	out     int
	sent    uint64 // requests so far; each one's number is its ticket
	cut     uint64 // the last ticket that was out when the limit was cut
	good    int    // successes since the limit changed
	waiting []*turn
}

// turn is someone's place in the queue.
type turn struct {
	ready  chan struct{} // closed when there is room
	ticket uint64
}

func newLimiter(limit int, log *slog.Logger) *limiter {
	return &limiter{log: log, max: limit, limit: limit}
}

// set changes the limit, because of err if that is not nil; under mu, so that who is told
// hears of the last one last.
func (l *limiter) set(limit int, err error) {
	l.limit, l.good = limit, 0
	if l.changed != nil {
		l.changed(limit, l.max, err)
	}
}

// enter waits for room. The caller has to leave with the ticket.
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

// leave makes room, and learns from how the request ended.
func (l *limiter) leave(ticket uint64, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.out--
	defer l.next() // whatever comes of telling of a new limit
	switch {
	case ticket <= l.cut: // sent before the last cut, so it tells of the time before
	case err == nil:
		if l.good++; l.good >= l.limit && l.limit < l.max {
			l.set(l.limit+1, nil)
		}
	case tooMuch(driver.Classify(err)):
		l.cut, l.good = l.sent, 0
		if l.limit > 1 {
			l.set(l.limit/2, err)
			l.log.Warn("the server has too much to do: fewer requests at once", "requests", l.limit, "of", l.max,
				"answer", driver.Classify(err).String())
		}
	}
}

// next lets in those who wait longest.
func (l *limiter) next() {
	for l.out < l.limit && len(l.waiting) > 0 {
		first := l.waiting[0]
		l.waiting[0] = nil
		l.waiting = l.waiting[1:]
		first.ticket = l.admit()
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
