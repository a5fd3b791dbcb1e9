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

// shortest is how soon a batch that could not be sent is tried again when a flush is requested, and
// rows that were to be sorted are.
const shortest = 5 * time.Millisecond

// lingerer sends batches that have waited for cfg.linger, until Close.
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
			case <-w.linger.flush:
				timer.Stop()
			case <-w.linger.done:
				timer.Stop()
				return nil
			}
		}
	}
}

// sendDue sends what is due, and returns how long the next batch, or the rows to be sorted, may
// wait; 0 if there are none. If nothing can be sent now, it tries again later: it must not hold up
// Write, which has to notice the end of its context.
func (w *tableWriter[T]) sendDue() time.Duration {
	w.gathering <- struct{}{}
	defer func() { <-w.gathering }()
	after, again := w.linger.after, w.linger.after
	flush := w.st.FlushRequested()
	if flush {
		after, again = 0, min(again, shortest)
	}
	sorted := w.sendSortedDue(flush)
	for b := w.open.oldest; b != nil; b = w.open.oldest {
		if left := after - time.Since(b.waits); left > 0 {
			if w.memory.sorting > 0 { // rows to be sorted may come meanwhile, which wakes nobody
				left = min(left, sortLinger)
			}
			return sooner(left, sorted)
		}
		if !w.workers.room(b) {
			return again
		}
		w.open.remove(b)
		w.workers.push(b)
	}
	return sorted
}

// sooner returns the time that comes first, of which 0 is none.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}
