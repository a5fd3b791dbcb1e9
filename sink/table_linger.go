package sink

import (
	"sync"
	"time"

	"github.com/rxcql/rxcql"
)

// lingering wakes the goroutine that sends batches which have waited too long. While nothing waits
// there is no timer.
type lingering struct {
	after time.Duration
	flush <-chan struct{}
	woken chan struct{} // has a token when something waits
	done  chan struct{}
	once  sync.Once

	forget func() // forgets flush
}

func newLingering(st *rxcql.Stage, after time.Duration) *lingering {
	flush, forget := st.FlushRequests()
	return &lingering{after: after, flush: flush, forget: forget, woken: make(chan struct{}, 1), done: make(chan struct{})}
}

func (l *lingering) wake() {
	select {
	case l.woken <- struct{}{}:
	default:
	}
}

func (l *lingering) stop() {
	l.once.Do(func() {
		l.forget()
		close(l.done)
	})
}

// lingerer sends batches that have waited for cfg.linger, until Close.
func (w *tableWriter[T]) lingerer() error {
	for {
		select {
		case <-w.linger.woken:
		case <-w.linger.done:
			return nil
		}
		for wait, full := w.sendDue(); wait > 0; wait, full = w.sendDue() {
			var room <-chan struct{}
			if full {
				room = w.workers.flight.roomy
			}
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
			case <-room:
			case <-w.linger.flush:
			case <-w.linger.done:
				timer.Stop()
				return nil
			}
			timer.Stop()
		}
	}
}

// sendDue sends what is due, and returns how long the next batch, or the rows to be sorted, may
// wait; 0 if there are none. It does not wait for room in flight itself: it must not hold up Write,
// which has to notice the end of its context. full says that it is to be called as soon as there is
// some.
func (w *tableWriter[T]) sendDue() (wait time.Duration, full bool) {
	w.gathering <- struct{}{}
	defer func() { <-w.gathering }()
	after, flush := w.linger.after, w.st.FlushRequested()
	if flush {
		after = 0
	}
	wait, full = w.sendSortedDue(flush)
	for b := w.open.oldest; b != nil; b = w.open.oldest {
		if left := after - time.Since(b.waits); left > 0 {
			if w.memory.sorting > 0 { // rows to be sorted may come meanwhile, which wakes nobody
				left = min(left, sortLinger)
			}
			return sooner(left, wait), full
		}
		if !w.workers.room(b) {
			sorted := b.waits.IsZero() // its rows have waited long enough
			return sooner(w.linger.after, wait), full || flush || sorted
		}
		w.open.remove(b)
		w.workers.push(b)
	}
	return wait, full
}

// sooner returns the time that comes first, of which 0 is none.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}
