package sink

import (
	"sync"
	"time"
)

// lingering wakes the goroutine that sends batches which have waited too long.
// While nothing waits there is no timer.
type lingering struct {
	after time.Duration
	woken chan struct{} // has a token when something waits
	done  chan struct{}
	once  sync.Once
}

func newLingering(after time.Duration) *lingering {
	return &lingering{after: after, woken: make(chan struct{}, 1), done: make(chan struct{})}
}

func (l *lingering) wake() {
	select {
	case l.woken <- struct{}{}:
	default:
	}
}

func (l *lingering) stop() { l.once.Do(func() { close(l.done) }) }

// lingerer sends what has waited for cfg.linger, until Close.
func (w *tableWriter[T]) lingerer() error {
	for {
		select {
		case <-w.linger.woken:
		case <-w.linger.done:
			return nil
		}
		for wait := w.sendDue(); wait > 0; wait = w.sendDue() {
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
			case <-w.linger.done:
				timer.Stop()
				return nil
			}
		}
	}
}

// sendDue sends the batches that are due and returns how long the next one may
// wait; 0 if none does. Where nothing may be sent now it tries again later: it
// must not hold Write up, which has to see its context end.
func (w *tableWriter[T]) sendDue() time.Duration {
	w.gathering <- struct{}{}
	defer func() { <-w.gathering }()
	for b := w.open.oldest; b != nil; b = w.open.oldest {
		if left := w.linger.after - time.Since(b.waits); left > 0 {
			return left
		}
		if !w.workers.room(b) {
			return w.linger.after
		}
		w.open.remove(b)
		w.workers.push(b)
	}
	return 0
}
