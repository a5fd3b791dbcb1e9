package rxcql

import (
	"slices"
	"sync"
)

// ending says whether it is open that a stage may end its stream as it does. Where the stage has
// ended it by the context of a page that is still on its way downstream, that is seen when the page
// comes back (handedBack), and the run fails. But other pages have been dropped on purpose by then,
// and are settled. Such a page has come back when the stream has been read.
type ending struct {
	mu      sync.Mutex
	reading int // calls of subscribe
	open    bool
}

// enter is called when the stage's stream begins to be read, and leave when it has been read.
func (e *ending) enter() (leave func()) {
	e.mu.Lock()
	e.reading++
	e.mu.Unlock()
	return func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.reading--; e.reading == 0 {
			e.open = false
		}
	}
}

// begin is called where the stage ends its stream.
func (e *ending) begin() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.open = e.reading > 0
}

func (e *ending) inDoubt() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.open
}

// endsInDoubt reports whether a stage has ended its stream by the context of a page on its way, or
// may have. What is settled is not saved then. It waits for no more than pages that are being
// written; and a run in which a stage has done so fails.
func (r *Execution) endsInDoubt() bool {
	r.mu.Lock()
	open := slices.ContainsFunc(r.order, func(st *Stage) bool { return st.ending.inDoubt() })
	r.mu.Unlock()
	if open { // ask for it first: a wrong end is in doubt until it is known to be one
		return true
	}
	r.wrongEnds.Range(func(any, any) bool { open = true; return false })
	return open
}
