package rxcql

import "time"

// NextReserved is what a save reserves, at a time, after saves and sinks have come so far.
func NextReserved(saved, asked int64, final bool, now time.Time) int64 {
	t := &timestamps{final: final}
	t.saved.Store(saved)
	t.asked.Store(asked)
	return t.next(now)
}

// Frontiers is how many frontiers of stages the run that is under way knows of.
func (p *Pipeline) Frontiers() int {
	p.mu.Lock()
	r := p.run
	p.mu.Unlock()
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.frontiers)
}
