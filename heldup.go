package rxcql

import "time"

// HeldUpUntil returns when a source was last held up by what comes after it: it waited for room in
// the budget or for pages to be settled, or a save had paused reading. That is now if one is still
// held up; it is zero if none has been. Stages that measure how long upstream takes leave that
// time out.
func (r *Execution) HeldUpUntil() time.Time {
	until := r.budget.WaitedUntil()
	if flushed := r.flushing.until(); flushed.After(until) {
		return flushed
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
