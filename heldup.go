package rxcql

import (
	"sync"
	"time"
)

// HeldUpUntil returns when a source was last held up by what comes after it: it waited for room in
// the budget or for pages to be settled, or a save had paused reading. That is now if one is still
// held up; it is zero if none has been. Stages that measure how long upstream takes leave that
// time out.
func (r *Execution) HeldUpUntil() time.Time {
	until := r.budget.WaitedUntil()
	if flushed := r.flushing.until(); flushed.After(until) {
		until = flushed
	}
	if paused := r.pauses.until(); paused.After(until) {
		until = paused
	}
	return until
}

// until returns when something last waited for rows that linger; now if something does.
func (h *flushRequests) until() time.Time {
	if h.on.Load() > 0 {
		return time.Now()
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ended
}

// pauses are the deliveries of pages that waited because a save was about to be made.
type pauses struct {
	mu    sync.Mutex
	on    int       // that wait now
	ended time.Time // when one last did
}

func (p *pauses) begin() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.on++
}

func (p *pauses) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.on--
	p.ended = time.Now()
}

// until returns when a delivery last waited; now if one does.
func (p *pauses) until() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.on > 0 {
		return time.Now()
	}
	return p.ended
}
